"""Runs the Korean notebooks, keeps checked outputs, carries code and these to the English ones.

A notebook whose code and library have not changed since its last run is not run again. Kept:
outputs of cells tagged nbval-check-output, text only, with the count a fresh run gives them
(nbval wants one). Everything else goes: other outputs and counts, widget state, editors'
metadata. `--check` only says what differs.
"""

import copy
import hashlib
import sys

import nbformat

CHECKED = 'nbval-check-output'
CELL_METADATA = ('tags', 'alt', 'mystnb')
NOTEBOOK_METADATA = {
    'kernelspec': {'display_name': 'Python 3', 'language': 'python', 'name': 'python3'},
    'language_info': {'name': 'python'},
}


def checked_outputs(cell, count, where):
    """The text outputs of a tagged cell; ValueError where it holds anything else."""
    kept = []
    for output in cell.get('outputs', []):
        if output.output_type == 'stream':
            # one print may arrive in several pieces, cut anywhere
            if output.name == 'stdout' and kept and kept[-1].output_type == 'stream':
                kept[-1].text += output.text
            elif output.name == 'stdout':
                kept.append(nbformat.v4.new_output('stream', name='stdout', text=output.text))
            continue
        if output.output_type == 'error':
            raise ValueError(f'{where} ends in {output.ename}: mend it before it is kept.')
        other = sorted(kind for kind in output.data if not kind.startswith('text/'))
        if other:
            raise ValueError(
                f'{where} is tagged {CHECKED} but shows {", ".join(other)}: '
                'draw in a cell of its own, without the tag.'
            )
        output = nbformat.v4.new_output(output.output_type, data=output.data)
        if output.output_type == 'execute_result':
            output.execution_count = count
        kept.append(output)
    return kept


def strip(notebook, name='notebook'):
    """A copy with nothing in it that changes from run to run; cell ids follow from sources."""
    notebook = copy.deepcopy(notebook)
    notebook.metadata = nbformat.from_dict(copy.deepcopy(NOTEBOOK_METADATA))
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    seen, count = {}, 0
    for number, cell in enumerate(notebook.cells):
        digest = hashlib.sha256(f'{cell.cell_type}\n{cell.source}'.encode()).hexdigest()[:8]
        seen[digest] = seen.get(digest, 0) + 1
        cell.id = digest if seen[digest] == 1 else f'{digest}-{seen[digest]}'
        cell.metadata = nbformat.from_dict(
            {key: cell.metadata[key] for key in CELL_METADATA if cell.metadata.get(key)}
        )
        if cell.cell_type == 'code':
            count += bool(cell.source.strip())
            tagged = CHECKED in cell.metadata.get('tags', [])
            where = f'{name}, cell {number}'
            cell.outputs = checked_outputs(cell, count, where) if tagged else []
            cell.execution_count = count if cell.outputs else None
    return notebook


def carry(korean, english, name='notebook'):
    """The English notebook with the Korean one's code cells; both stripped.

    Raises ValueError where the twins' cells differ in number or kind.
    """
    kinds = [[cell.cell_type for cell in book.cells] for book in (korean, english)]
    if kinds[0] != kinds[1]:
        at = next(
            (i for i, pair in enumerate(zip(*kinds)) if pair[0] != pair[1]), min(map(len, kinds))
        )
        raise ValueError(
            f'{name}: the twins differ from cell {at} on ({len(kinds[0])} cells in '
            f'ko, {len(kinds[1])} in en): give both the same cells in one order.'
        )
    english = copy.deepcopy(english)
    english.cells = [
        copy.deepcopy(k) if k.cell_type == 'code' else e
        for k, e in zip(korean.cells, english.cells)
    ]
    return strip(english, name)


def save(notebook, path):
    """Writes the notebook as this tool always does, and only where that changes the file."""
    text = nbformat.writes(notebook)
    text = text if text.endswith('\n') else text + '\n'
    if not path.exists() or path.read_text(encoding='utf-8') != text:
        path.write_text(text, encoding='utf-8')
        print(f'  {path.parent.name}/{path.name} written')


def read(path):
    return nbformat.read(path, as_version=4)


def main(arguments):
    from chapters import executed, toc_notebooks

    only_check = arguments == ['--check']
    if arguments and not only_check:
        sys.exit('notebooks.py takes no argument but --check.')
    wrong = []
    for path in toc_notebooks('ko'):
        twin = path.parent.parent / 'en' / path.name
        try:
            if not twin.exists():
                raise ValueError(f'{path.name}: no English twin; add chapters/en/{path.name}.')
            korean, english = read(path), read(twin)
            carry(strip(korean, path.name), english, path.name)  # refuse before a long run
            if only_check:
                clean = strip(korean, path.name)
                if clean != korean or carry(clean, english, path.name) != english:
                    raise ValueError(f'{path.name}: not as make notebooks leaves it; run it.')
            else:
                korean = strip(executed(path), path.name)
                save(korean, path)
                save(carry(korean, english, path.name), twin)
        except ValueError as error:
            wrong.append(str(error))
    if wrong:
        sys.exit('\n'.join(wrong))


if __name__ == '__main__':
    main(sys.argv[1:])
