"""Code cells on a page: what they printed, in its language, and the words on folded ones."""

import re

from d2lrec import phrases
from d2lrec.phrases import phrasebook

from bs4 import BeautifulSoup
from docutils import nodes
from myst_nb.core import render
from myst_nb.core.utils import coalesce_streams

from d2lrec_site.editions import BOOK

SORTED = 5  # rows from which on a table of models can be sorted
SHORT = 12  # letters of a row's name that stay on one line
CODE = ('python', 'python3', 'ipython', 'ipython3')  # a source that a cell shows is no speech


def merge_streams(outputs):
    """What a cell printed as one text, whatever pieces it came in: no line break is added.

    myst_nb ends each piece with a line break before it merges them.
    """
    merged, first = [], {}
    for output in outputs:
        name = output.get('name') if output['output_type'] == 'stream' else None
        if name in first:
            first[name]['text'] += output['text']
        else:
            merged.append(output)
            if name:
                first[name] = output
    return coalesce_streams(merged)


def use_own_merge():
    """Puts `merge_streams` in the place of myst_nb's."""
    render.coalesce_streams = merge_streams


# What stands in a cell of numbers: digits, signs, a unit of one sign, a range, nothing else.
NUMBER = re.compile(r'[-+−±~<>≤≥≈]?\s*[.\d][\d\s.,:×·e^%+−±–/-]*')


def mend_heads(markup):
    """The heads of a printed table: in one row, and those of columns of words over the words.

    pandas gives the name of the rows a second row of heads, empty but for it.
    """
    soup = BeautifulSoup(markup, 'html.parser')
    rows = soup.select('table thead tr')
    body = [row.find_all(['th', 'td']) for row in soup.select('table tbody tr')]
    if len(rows) == 2 and body and not soup.select('thead [colspan], thead [rowspan]'):
        above, names = (row.find_all(['th', 'td']) for row in rows)
        levels = len(max(body, key=len)) - len([one for one in body[-1] if one.name == 'td'])
        said = [[bool(one.get_text(strip=True)) for one in row] for row in (above, names)]
        if not any(said[0][:levels]) and any(said[1][:levels]) and not any(said[1][levels:]):
            for head, name in zip(above[:levels], names[:levels]):
                head.name, head['class'] = 'th', ['text']
                head.string = name.get_text(strip=True)
            rows.pop().decompose()
    last = rows[-1].find_all(['th', 'td']) if rows else []
    parted = soup.select('tbody [rowspan], tbody [colspan], thead [rowspan]')
    if body and len(last) == len(body[0]) and not parted:
        for head, column in zip(last, zip(*body)):
            told = [cell for cell in column if cell.name == 'td']
            said = [cell.get_text(strip=True) for cell in told]
            if any(map(NUMBER.fullmatch, said)):
                for cell, text in zip(told, said):  # a short word among numbers stands as they do
                    if text and len(text) <= SHORT and not NUMBER.fullmatch(text):
                        cell['class'] = ['number']
            if head.name == 'th' and any(said) and not any(map(NUMBER.fullmatch, said)):
                head['class'] = [*head.get('class', []), 'text']
    return re.sub(r'\n\s*\n', '\n', str(soup))


def mend_table(markup):
    """A printed table: no empty head, a dash for no number; numbers and short names are marked.

    Nor has it a style of its own, which would be one for every table of the page.
    """
    markup = mend_heads(re.sub(r'<style scoped.*?</style>\s*', '', markup, flags=re.DOTALL))
    markup = re.sub(r'<th((?: [^>]*)?)>\s*</th>', r'<td\1></td>', markup)
    head, body, rows = markup.partition('<tbody>')
    short = rf'<th((?: (?:rowspan|valign)="[^"]*")*)>([^<]{{1,{SHORT}}})</th>'
    head = re.sub(  # on a phone a long head may break behind its bar
        r'(?<=>)([^<>]*\w_\w[^<>]*)(?=</th>)',
        lambda m: re.sub(r'(?<=\w)_(?=\w)', '_<wbr/>', m[1]),
        head,
    )
    head = re.sub(  # what stands in brackets stays together
        r'(?<= )(\([^()<>]{1,12}\))(?=</th>)', r'<span class="d2l-keep">\1</span>', head
    )
    markup = head + body + re.sub(short, r'<th class="short"\1>\2</th>', rows)
    markup = re.sub(r'<td>NaN</td>', '<td class="number">–</td>', markup)
    markup = re.sub(r'<td>-(0(?:\.0*)?)</td>', r'<td>\1</td>', markup)  # a rounded -.0000
    markup = re.sub(  # on a phone its time may stand below its day
        r'<td>(\d{4}-\d\d-\d\d) (\d\d:\d\d(?::\d\d)?)</td>',
        r'<td class="number date"><span>\1</span> <span>\2</span></td>',
        markup,
    )
    return re.sub(
        r'<td>(\s*' + NUMBER.pattern + r'\s*)</td>', r'<td class="number">\1</td>', markup
    )


def put(node, text):
    """Gives a node of an output another text."""
    node.rawsource = text
    node.children = []
    node += nodes.Text(text)


def note_words(app, doctree):
    """A page is read again where the words change that it is told in, or the edition's own."""
    language, edition = app.config.language, BOOK.of(app.config.language)
    files = [edition.root / edition.chapters / 'words.yml', phrases.FOLDER / f'{language}.json']
    for file in files[: 2 if any(doctree.findall(is_output)) else 1]:
        if file.exists():
            app.env.note_dependency(str(file))


def is_output(node):
    return isinstance(node, nodes.container) and node.get('nb_element') == 'cell_code_output'


def tell_outputs(app, doctree):
    """What a cell printed and its tables, in the page's language; the code above it stays."""
    book = phrasebook(app.config.language, app.env.docname.rpartition('/')[2])
    for output in doctree.findall(is_output):
        for block in output.findall(nodes.literal_block) if book else ():
            if block.get('language') in CODE:
                continue
            told = book.text(block.astext())
            if told != block.astext():
                put(block, told)
        for raw in output.findall(nodes.raw):
            if raw.get('d2l_told'):
                continue
            if raw.get('format') == 'html' and '<table' in raw.astext():
                told = mend_table(book.markup(raw.astext()) if book else raw.astext())
                put(raw, told)


def mend_tables(app, doctree):
    """In the tables of the text a column of numbers stands right; tables of models can be sorted.

    A table of models has their names in its first column, whose head says so.
    """
    model = BOOK.of(app.config.language).words.get('model', '')
    for table in doctree.findall(nodes.table):
        rows = [list(row) for body in table.findall(nodes.tbody) for row in body]
        heads = [list(row) for head in table.findall(nodes.thead) for row in head]
        for column in zip(*rows):
            said = [entry.astext().strip() for entry in column]
            told = [one for one in said if one not in ('', '-', '–', '—')]
            if told and all(map(NUMBER.fullmatch, told)):
                for entry in column:
                    entry['classes'].append('number')
        if heads and len(rows) >= SORTED and heads[-1][0].astext().strip().lower() == model:
            table['classes'].append('sortable')


def name_folds(app, doctree):
    """A folded cell that says what it is for, by its tag, has words of its own on the fold."""
    named = BOOK.of(app.config.language).words.get('folds', {})
    for cell in doctree.findall(nodes.container):
        if cell.get('nb_element') != 'cell_code' or not cell.get('hide_mode'):
            continue
        for tag in cell.get('cell_metadata', {}).get('tags', []):
            if tag in named:
                cell['prompt_show'] = cell['prompt_hide'] = named[tag]
