"""Where a benchmark's table goes: to the screen, and to a file where one is named."""


def put_out(lines, path=None):
    """Print the lines of a table, and write them to `path`."""
    text = '\n'.join(lines) + '\n'
    print(text)
    if path:
        with open(path, 'w', encoding='utf-8') as file:
            file.write(text)
