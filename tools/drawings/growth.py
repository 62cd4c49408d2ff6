"""The chapter on growing vocabularies."""

from drawings.canvas import Figure


def draw_stale():
    """A row that one batch touches, under ordinary and under sparse Adam."""
    f = Figure('stale', 330)
    for n in range(4):
        x = 150 + n * 100
        f.text(x, 30, f'step {n + 1}', 'name')
        f.text(x, 52, 'touched' if n == 0 else 'not touched', 'note')
    for y, name, sizes, moves in (
        (84, 'Adam', (60, 48, 38, 30), (40, 32, 25, 20)),
        (210, 'sparse Adam', (60, 60, 60, 60), (40, 0, 0, 0)),
    ):
        f.text(16, y + 20, name, 'name', 'start')
        f.text(16, y + 46, 'momentum', 'note', 'start')
        f.text(16, y + 86, 'the row moves', 'note', 'start')
        for n, (size, move) in enumerate(zip(sizes, moves)):
            x = 150 + n * 100
            frozen = name != 'Adam' and n
            f.rect(x - size / 2, y + 32, size, 20, 'cell' if frozen else 'a', r=3)
            if frozen:
                f.text(x, y + 47, 'frozen', 'note')
            if move:
                f.edge((x - move / 2, y + 82), (x + move / 2, y + 82))
            else:
                f.text(x, y + 87, 'no', 'note')
    f.path('M16 196H504', 'group')
    return f
