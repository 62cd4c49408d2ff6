"""Runs the first edition's notebooks, keeps checked outputs, carries both to the other editions.

A notebook whose code and library have not changed since its last run is not run again. Kept:
outputs of cells tagged nbval-check-output, text only, with the count a fresh run gives them
(nbval wants one). Everything else goes: other outputs and counts, widget state, editors'
metadata. A cell keeps its id whatever becomes of its text, and has it in every edition: code
finds its cell by it, and so does a translation. `--no-run` does all this but the running;
`--check` only says what differs.
"""

import copy
import hashlib
import re
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


def give_ids(cells):
    """Gives an id to each cell that has none, or a bad one, or that of a cell before it."""
    known = {cell.get('id') for cell in cells}
    taken = set()
    for cell in cells:
        if not re.fullmatch(r'[\w-]{1,64}', cell.get('id') or '', re.ASCII) or cell.id in taken:
            count = 0
            while count == 0 or cell.id in known:
                text = f'{cell.cell_type}\n{cell.source}\n{count}'
                cell.id = hashlib.sha256(text.encode()).hexdigest()[:8]
                count += 1
            known.add(cell.id)
        taken.add(cell.id)


def strip(notebook, name='notebook'):
    """A copy with nothing in it that changes from run to run; ids that are good are kept."""
    notebook = copy.deepcopy(notebook)
    notebook.metadata = nbformat.from_dict(copy.deepcopy(NOTEBOOK_METADATA))
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    give_ids(notebook.cells)
    count = 0
    for number, cell in enumerate(notebook.cells):
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


def carry(first, other, name='notebook'):
    """Another edition's notebook with the first one's code cells, order and ids; stripped.

    A text is found by its cell's id. Where the two share none yet, by its place.
    Raises ValueError where a text has no cell in the first edition, or a cell no text.
    """
    first, other = strip(first, name), strip(other, name)
    texts = {cell.id: cell for cell in other.cells if cell.cell_type != 'code'}
    wanted = {cell.id: n for n, cell in enumerate(first.cells) if cell.cell_type != 'code'}
    if not texts.keys() & wanted.keys():
        kinds = [[cell.cell_type for cell in book.cells] for book in (first, other)]
        if kinds[0] != kinds[1]:
            at = next(
                (i for i, pair in enumerate(zip(*kinds)) if pair[0] != pair[1]),
                min(map(len, kinds)),
            )
            raise ValueError(
                f'{name}: the editions differ from cell {at} on ({len(kinds[0])} cells in the '
                f'first, {len(kinds[1])} here): give both the same cells in one order.'
            )
        texts = {first.cells[n].id: other.cells[n] for n in wanted.values()}
    missing, more = wanted.keys() - texts.keys(), texts.keys() - wanted.keys()
    if missing:
        one = min(missing, key=wanted.get)
        raise ValueError(
            f"{name}: the first edition's cell {wanted[one]} (id {one}) has no text here: "
            'write a cell with this id.'
        )
    if more:
        raise ValueError(
            f'{name}: the first edition has no cell {min(more)}: take it out here, or add it there.'
        )
    made = copy.deepcopy(other)
    made.cells = [copy.deepcopy(texts.get(cell.id, cell)) for cell in first.cells]
    for cell, model in zip(made.cells, first.cells):
        cell.id = model.id
    return strip(made, name)


def save(notebook, path):
    """Writes the notebook as this tool always does, and only where that changes the file."""
    text = nbformat.writes(notebook)
    text = text if text.endswith('\n') else text + '\n'
    if not path.exists() or path.read_text(encoding='utf-8') != text:
        path.write_text(text, encoding='utf-8')
        print(f'  {path.parent.name}/{path.name} written')


def read(path):
    """The notebook as the file has it: a missing id is not made up."""
    return nbformat.v4.reads(path.read_text(encoding='utf-8'))


def main(arguments, book=None):
    from chapters import BOOK, executed

    book = book or BOOK
    only_check, run = arguments == ['--check'], arguments != ['--no-run']
    if arguments and not only_check and run:
        sys.exit('notebooks.py takes no argument but --check or --no-run.')
    wrong, (first, *others) = [], book.editions
    for path in first.notebooks:
        try:
            twins = {one.language: book.root / one.chapters / path.name for one in others}
            for language, twin in twins.items():
                if not twin.exists():
                    raise ValueError(f'{path.name}: not there in {language}; add {twin}.')
            model = strip(read(path), path.name)
            made = {twin: carry(model, read(twin), twin.name) for twin in twins.values()}
            if only_check:
                if any(clean != read(file) for file, clean in {path: model, **made}.items()):
                    raise ValueError(f'{path.name}: not as the tool leaves it; run make notebooks.')
                continue
            if run:
                model = strip(executed(path), path.name)
            save(model, path)
            for twin in made:
                save(carry(model, read(twin), twin.name), twin)
        except ValueError as error:
            wrong.append(str(error))
    if wrong:
        sys.exit('\n'.join(wrong))


if __name__ == '__main__':
    main(sys.argv[1:])
