"""Code cells on a page: what they printed, in its language, and the words on folded ones."""

import re

from d2lrec import phrases
from d2lrec.phrases import phrasebook, width

from bs4 import BeautifulSoup
from docutils import nodes
from myst_nb.core import render
from myst_nb.core.utils import coalesce_streams

from d2lrec_site.columns import HEADS, stood
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
    heads = [row.find_all(['th', 'td']) for row in rows]
    if len(heads) == 1 and body and not soup.select('[rowspan], [colspan]'):
        for head, column in zip(heads[0], zip(*body)):
            said = [cell.get_text(strip=True) for cell in column if cell.name == 'td']
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
    markup = head + body + re.sub(short, r'<th class="short"\1>\2</th>', rows)
    markup = re.sub(r'<td>NaN</td>', '<td class="number">–</td>', markup)
    markup = re.sub(r'<td>-(0(?:\.0*)?)</td>', r'<td>\1</td>', markup)  # a rounded -.0000
    return re.sub(
        r'<td>(\s*' + NUMBER.pattern + r'\s*)</td>', r'<td class="number">\1</td>', markup
    )


BRACKETS = ('()', '[]', '{}')


def lined_up(said, told, book):
    """A told text whose lines stand under each other where those of the code do.

    The longest of some names, one space before its value, looks like a sentence: what is told of
    it has another length, and the values beside the other names no longer stand under its own.
    """
    said, told = said.split('\n'), told.split('\n')
    laid = lay_tables(said, told, book) if len(said) == len(told) else ()
    at, headed = 0, None
    while at < len(said) == len(told):
        headed = said[at].strip() and headed or HEADS.fullmatch(said[at])  # up to an empty line
        for column, end in [] if headed or at in laid else shared_starts(said, at):
            cuts = tails(said[at:end], told[at:end], column, book)
            heads = [line[:cut].rstrip() for line, cut in zip(told[at:end], cuts)]
            if all(heads):
                wide = max(map(width, heads)) + 1
                told[at:end] = [
                    head + ' ' * (wide - width(head)) + line[cut:]
                    for head, cut, line in zip(heads, cuts, told[at:end])
                ]
                at = end - 1
                break
        at += 1
    return '\n'.join(told)


FIGURE = r'[-+]?(?:\d[\d,]*\.?\d*|\.\d+)%?'  # one number,
FIGURE = rf'{FIGURE}(?:(?<=,) {FIGURE})?'  # or two, as a column holds them


def lay_tables(said, told, book):
    """Lays printed tables of numbers anew, each column as wide as its own words ask.

    A table has a line of heads, and under it lines that are a name and numbers; all its columns
    stand at the right. Returns the numbers of its lines, which `told` has then as they were laid.
    """
    laid, first = set(), 0
    while first < len(said):
        last = first
        while last < len(said) and ends_of(said[last]):
            last += 1
        table = last - first > 1 and table_of(said, first, last)
        if table:
            above, ends = table
            laid.update(range(above, last))
            told[above:last] = laid_out(said[above:last], ends, book)
        first = max(last, first + 1)
    return laid


def ends_of(line):
    """Where the numbers end that close a line, each two spaces or more from what is before it."""
    found = re.fullmatch(rf'(?:.*?\S)??((?:(?:^ +| {{2,}}){FIGURE})+) *', line)
    return [found.start(1) + one.end() for one in re.finditer(FIGURE, found[1])] if found else []


def cut(line, ends):
    """The columns of a line that end where told, the name before the first of them apart."""
    starts = [0, *ends]
    first, *rest = [line.ljust(ends[-1])[start:end] for start, end in zip(starts, ends)]
    name = first if first.endswith(' ') else re.match(r'(?:.* {2}|)', first)[0]
    return [name, first[len(name) :], *rest]


def table_of(said, first, last):
    """(number of the line of heads, ends of the columns) of the numbers in the lines from `first`
    to `last`; None where they are no table."""
    found = [ends_of(line) for line in said[first:last]]
    ends = sorted({end for line in found for end in line})
    for line, own in zip(said[first:last], found):  # no name reaches into a column
        if any(line[end - 1 : end].strip() and end not in own for end in ends):
            return None
    above = first - 1
    if above > 0 and said[above][: ends[0]].strip() and not said[above][ends[0] - 1 :].strip():
        above -= 1  # the name of the lines has a line of its own
    if above < 0 or said[above][ends[-1] :].strip():
        return None
    if any('  ' in cut(line, ends)[0].strip() for line in said[above:last]):
        return None
    _, *heads = cut(said[above], ends)
    for head, end in zip(heads, ends):
        if head.endswith(' ') or said[above][end : end + 1].strip():
            return None
    return (above, ends) if re.search('[A-Za-z]', ''.join(heads)) else None


def laid_out(lines, ends, book):
    """The lines of a table in the words of a language: names at the left, columns at the right."""
    rows = [cut(line, ends) for line in lines]
    gaps = [0] + [
        max(2, min(len(cell) - len(cell.lstrip()) for cell in column if cell.strip()))
        for column in list(zip(*rows))[2:]
    ]
    rows = [[book.line(cell.strip()) for cell in row] for row in rows]
    name, *wide = [max(map(width, column)) for column in zip(*rows)]
    gaps[0] = 2 if name else 0
    return [
        (
            row[0]
            + ' ' * (name - width(row[0]))
            + ''.join(
                ' ' * (gap + room - width(cell)) + cell
                for gap, room, cell in zip(gaps, wide, row[1:])
            )
        ).rstrip()
        for row in rows
    ]


def shared_starts(lines, first):
    """[(column, end)]: where the second part of the lines from `first` to `end` may begin, with
    one space before it in one line and more in another."""
    starts = []
    for column in range(2, len(lines[first])):
        end, gaps = first, set()
        while end < len(lines) and re.match(r'. \S', lines[end][column - 2 : column + 1]):
            head = lines[end][:column]
            if not head.strip() or any(head.count(one) != head.count(two) for one, two in BRACKETS):
                break
            gaps.add(head[-2] == ' ')
            end += 1
        if len(gaps) == 2:
            starts.append((column, end))
    return starts


def tails(said, told, column, book):
    """Where in each told line begins what begins at `column` in the code's; 0 for not found."""
    cuts, firsts = [], set()
    for line, own in zip(said, told):
        tail = line[column:]
        firsts.add(tail.split()[0])
        words = next((w for w in (book.phrase(tail), tail) if w and own.endswith(w)), None)
        cuts.append(len(own) - len(words) if words else own.find(f' {tail.split()[0]}') + 1)
    if not all(cuts) and len(firsts) == 1:  # one wording in all lines: from its first own word on
        both = set.intersection(*(set(own.split()[1:]) for own in told))
        first = next((word for word in told[0].split()[1:] if word in both), '')
        cuts = [own.find(f' {first}') + 1 if first else 0 for own in told]
    return cuts


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
            told = stood(block.astext(), lined_up(block.astext(), book.text(block.astext()), book))
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
