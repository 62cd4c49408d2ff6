"""Writes the notebooks that run alone: one for each chapter and edition, and an edition's zip.

`python tools/export.py` makes `_build/notebooks/<language>/<name>.ipynb` and
`_build/notebooks/d2lrec-<language>.zip` from the notebooks in `chapters`; nothing is run. A
notebook made here needs no other file: its first cell installs what is missing, its pictures are
in it, and its text is plain Markdown that every notebook viewer shows.

Pictures are PNG in data addresses within the Markdown. Colab shows neither attachments nor SVG in
a text cell, and the Markdown readers of VS Code and nbconvert refuse addresses with SVG; all of
them and JupyterLab take PNG. Chromium draws them. Where there is none they stay SVG, which
Jupyter shows and Colab does not, and the tool says so.
"""

import base64
import copy
import hashlib
import io
import os
import re
import shutil
import sys
import xml.etree.ElementTree as ET
import zipfile
from pathlib import Path

from d2lrec import palette
from d2lrec.phrases import phrasebook

import nbformat
from pybtex.database import parse_file
from pybtex.richtext import Text

from chapters import BOOK, ROOT

from d2lrec_site import addresses, anchors, figures, typography  # isort: skip  found by way of `chapters`

OUT = ROOT / '_build' / 'notebooks'
PICTURES = ROOT / '_build' / 'pictures'
SCALE = 1.5  # dots of a picture for each of the drawing's: sharp on most screens, and small

SETUP = """\
# Set-up: installs d2lrec and MXNet where Python does not find them; elsewhere it does nothing.
import importlib.util
import os
import subprocess
import sys

for name, wanted in (
    ('d2lrec', ['d2lrec @ git+{repository}']),
    ('mxnet', ['--no-deps', 'mxnet==1.9.1']),  # what it asks for is out of date
):
    if importlib.util.find_spec(name) is None:
        subprocess.check_call([sys.executable, '-m', 'pip', 'install', '--quiet', *wanted])
importlib.invalidate_caches()
os.environ.setdefault('OMP_NUM_THREADS', '1')  # as the chapter has it, before MXNet is imported
os.environ.setdefault('TQDM_MININTERVAL', '10')  # a line of progress every ten seconds, no more
import d2lrec.compat  # lets MXNet run on the newest NumPy: before `import mxnet`"""

# Directives that are a remark in the margin: their body stays, in a block quote.
REMARKS = ('note', 'tip', 'hint', 'important', 'warning', 'caution', 'attention', 'seealso')
SOLUTION_CELL = {'jupyter': {'source_hidden': True}}
FOLDED = {'jp-MarkdownHeadingCollapsed': True, 'heading_collapsed': True}


# --- pictures


def drawing(text, language):
    """A drawing as SVG that stands alone: one language, its light colours, white paper."""
    ET.register_namespace('', figures.SVG)
    root = ET.fromstring(text)
    figures.keep_language(root, language)
    left, top, width, height = map(float, root.get('viewBox').split())
    paper = {'x': left, 'y': top, 'width': width, 'height': height, 'fill': palette.PAPER}
    root.insert(0, ET.Element(f'{{{figures.SVG}}}rect', {k: f'{v}' for k, v in paper.items()}))
    root.attrib.pop('style', None)
    text = ET.tostring(root, encoding='unicode')
    return re.sub(r'var\(--[\w-]+,\s*([^()]+)\)', r'\1', text)


def size(svg):
    """Width and height of a drawing in its own dots."""
    root = ET.fromstring(svg)
    box = root.get('viewBox').split()
    numbers = (root.get('width') or box[2], root.get('height') or box[3])
    return [float(re.sub('[^0-9.]', '', number)) for number in numbers]


class Pictures:
    """Drawings as data addresses; Chromium is started for the first that is not kept yet."""

    def __init__(self, folder=PICTURES):
        self.folder, self.playwright, self.browser = folder, None, None
        self.program = shutil.which('chromium') or shutil.which('chromium-browser')
        if self.program is None:
            print('  no chromium: pictures stay SVG, which Colab does not show')

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.browser is not None:
            self.browser.close()
            self.playwright.stop()

    def address(self, svg):
        """The data address of one drawing."""
        if self.program is None:
            return f'data:image/svg+xml;base64,{base64.b64encode(svg.encode()).decode()}'
        path = self.folder / f'{hashlib.sha256(svg.encode()).hexdigest()[:16]}.png'
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(self.draw(svg))
        return f'data:image/png;base64,{base64.b64encode(path.read_bytes()).decode()}'

    def draw(self, svg):
        """The drawing as PNG, in 64 colours, of which no drawing has more than a few."""
        from PIL import Image
        from playwright.sync_api import sync_playwright

        if self.browser is None:
            self.playwright = sync_playwright().start()
            arguments = ['--no-sandbox'] if os.geteuid() == 0 else []
            self.browser = self.playwright.chromium.launch(
                executable_path=self.program, args=arguments
            )
        width, height = size(svg)
        page = self.browser.new_page(
            viewport={'width': round(width), 'height': round(height)}, device_scale_factor=SCALE
        )
        page.set_content(f'<style>body {{ margin: 0 }} svg {{ display: block }}</style>{svg}')
        picture = Image.open(io.BytesIO(page.screenshot()))
        page.close()
        small = io.BytesIO()
        picture.convert('RGB').quantize(64).save(small, 'PNG', optimize=True)
        return small.getvalue()


# --- what a text refers to


def plain(latex):
    """The words of a field of BibTeX."""
    return str(Text.from_latex(latex))


def citations(path, words=None):
    """{key: (authors, year, address)} of a BibTeX file, authors as they stand in a sentence.

    `words` are an edition's `between` two authors and for `others`.
    """
    between, others = (words or {}).get('between', ' and '), (words or {}).get('others', ' et al.')
    found = {}
    for key, entry in parse_file(str(path)).entries.items():
        names = [
            plain(' '.join([*one.prelast_names, *one.last_names]))
            for one in entry.persons['author']
        ]
        authors = f'{names[0]}{others}' if len(names) > 2 else between.join(names)
        fields = entry.fields
        if fields.get('doi'):
            link = f'https://doi.org/{fields["doi"]}'
        elif fields.get('eprint'):
            link = f'https://arxiv.org/abs/{fields["eprint"]}'
        else:
            link = fields.get('url', '')
        found[key] = (authors, plain(fields.get('year', '')), link)
    return found


def title_of(path):
    """The heading of a page; a notebook's or a text file's."""
    try:
        return next(words for level, words in anchors.page_headings(path) if level == 1)
    except (FileNotFoundError, StopIteration):
        raise ValueError(
            f'{path}: there is no such page with a heading: mend the {{doc}}.'
        ) from None


LABEL = re.compile(r'\$\$[ \t]*\(([\w:-]+)\)[ \t]*$', re.MULTILINE)
PICTURE = re.compile(r'!\[([^\]]*)\]\(([^)\s]+)\)(\{[^}\n]*\})?')
# a block of code, a role, a piece of code: what is within the first and the last stays as it is
MARKED = re.compile(r'```.*?```|\{([\w:-]+)\}`([^`]+)`|`[^`\n]+`', re.DOTALL)


class Page:
    """One chapter of one edition on its way to plain Markdown."""

    def __init__(self, edition, path, pictures, cited, site=''):
        self.edition, self.path, self.pictures, self.cited = edition, path, pictures, cited
        self.site, self.words = site, edition.words['notebook']
        self.book = nbformat.v4.reads(path.read_text(encoding='utf-8'))
        texts = [cell.source for cell in self.book.cells if cell.cell_type == 'markdown']
        labels = [label for text in texts for label in LABEL.findall(text)]
        self.equations = {label: number for number, label in enumerate(labels, 1)}
        found = [
            label
            for text in texts
            for label in re.findall(r'^`{3,}\{exercise\}[^\n]*\n:label: *(\S+)', text, re.M)
        ]
        chapter = f'{edition.numbers[path.stem]}.' if path.stem in edition.numbers else ''
        self.exercises = {label: f'{chapter}{n}' for n, label in enumerate(found, 1)}
        self.figures = {name: f'{chapter}{n}' for n, name in enumerate(self.named(), 1)}

    def named(self):
        """The names of its figures, drawings and plots, in order; as the site has them."""
        for cell in self.book.cells:
            if cell.cell_type == 'code' and 'alt' in cell.metadata:
                yield f'fig-{cell.id}'
            elif cell.cell_type == 'markdown':
                for target in PICTURE.findall(cell.source):
                    yield figures.name_of(target[1], self.path.stem)

    def refuse(self, what):
        """ValueError for markup that has no plain form here."""
        raise ValueError(
            f'{self.edition.chapters}/{self.path.name}: {what} has no plain form: '
            'teach it to tools/export.py, or write it in Markdown.'
        )

    def export(self):
        """The notebook that runs alone."""
        cells, solving = [self.setup()], False
        for cell in self.book.cells:
            if cell.cell_type == 'code':
                cells.append(self.code(cell, solving))
            else:
                made, solving = self.text(cell, solving)
                cells += made
        metadata = {
            'kernelspec': {'display_name': 'Python 3', 'language': 'python', 'name': 'python3'},
            'language_info': {'name': 'python'},
        }
        book = nbformat.v4.new_notebook(cells=cells, metadata=metadata)
        nbformat.validate(book)
        return book

    def setup(self):
        """The first cell."""
        source = SETUP.format(repository=addresses.REPOSITORY)
        return nbformat.v4.new_code_cell(source, id='setup')

    def code(self, cell, solving):
        """A code cell with its checked output; a solution's is folded where that is known."""
        hidden = solving or 'hide-input' in cell.metadata.get('tags', [])
        made = nbformat.v4.new_code_cell(
            cell.source,
            id=cell.id,
            outputs=[self.told(output) for output in cell.outputs],
            execution_count=cell.execution_count,
        )
        made.metadata = nbformat.from_dict(SOLUTION_CELL if hidden else {})
        if cell.metadata.get('tags'):
            made.metadata['tags'] = cell.metadata['tags']
        return made

    def told(self, output):
        """A kept output in the notebook's language, as its cell will tell it when it runs."""
        book = phrasebook(self.edition.language, self.path.stem)
        if book is None or output.get('name') == 'stderr':
            return output
        output = copy.deepcopy(output)
        if output.output_type == 'stream':
            output.text = book.text(output.text)
        data = output.get('data', {})
        if 'highlight' not in data.get('text/html', ''):  # a source that a cell shows is no speech
            for kind, tell in (('text/plain', book.text), ('text/html', book.markup)):
                if kind in data:
                    data[kind] = tell(data[kind])
        return output

    def text(self, cell, solving):
        """The text cells that one becomes, and whether its end lies within a solution.

        A solution begins with an empty cell to answer in and a heading in a cell of its own, under
        which viewers fold what follows up to the next heading.
        """
        made, lines = [], []

        def close(**metadata):
            source = '\n'.join(lines).strip()
            lines.clear()
            if source:
                new = nbformat.v4.new_markdown_cell(source, id=f'{cell.id}-{len(made)}')
                new.metadata = nbformat.from_dict(metadata)
                made.append(new)

        for kind, piece in self.pieces(cell.source):
            if kind == 'text':
                lines += [self.inline(piece)]
                continue
            name, title, options, body = piece
            if name == 'exercise':
                close()
                number = self.exercises[options['label']]
                head = self.words['exercise'].format(number)
                lines += [f'### {head}: {self.inline(title)}' if title else f'### {head}', '']
                lines += [self.inline(body)]
                close()
            elif name == 'solution-start':
                close()
                made.append(nbformat.v4.new_code_cell('', id=f'{cell.id}-{len(made)}'))
                lines += [f'#### {self.words["solution"].format(self.exercises[title])}']
                close(**FOLDED)
                solving = True
            elif name == 'solution-end':
                solving = False
            elif name == 'tab-set':  # one after the other, each under its name
                for _, inner in self.pieces(body):
                    if not isinstance(inner, str) and inner[0] == 'tab-item':
                        lines += ['', f'**{self.inline(inner[1])}**', '', self.inline(inner[3]), '']
            elif name in REMARKS or name == 'admonition':
                head = title or self.words.get(name, '')
                inner = ([f'**{self.inline(head)}**', ''] if head else []) + [self.inline(body)]
                quoted = '\n'.join(inner).split('\n')
                lines += ['', *(f'> {line}'.rstrip() for line in quoted), '']
            else:
                self.refuse(f'the directive {{{name}}}')
        close()
        return made, solving

    def pieces(self, source):
        """A text's plain pieces and its directives, in order."""
        lines, plain_lines, code = source.split('\n'), [], None
        while lines:
            line = lines.pop(0)
            fence = re.match(r'\s*(`{3,}|:{3,}|~{3,})(.*)$', line)
            if code is not None:  # within a block of code, whose text is its own
                plain_lines.append(line)
                if fence and fence[1].startswith(code) and not fence[2].strip():
                    code = None
                continue
            opened = fence and re.fullmatch(r'\{([\w:-]+)\}\s*(.*)', fence[2])
            if not opened:
                if fence:
                    code = fence[1]
                plain_lines.append(line)
                continue
            if plain_lines:
                yield 'text', '\n'.join(plain_lines)
                plain_lines = []
            options, body = {}, []
            while lines and not re.fullmatch(rf'\s*{fence[1]}{fence[1][0]}*\s*', lines[0]):
                body.append(lines.pop(0))
            if not lines:
                self.refuse(f'the directive {{{opened[1]}}} without an end')
            lines.pop(0)
            while body and re.match(r':[\w-]+:', body[0]):
                _, key, value = body.pop(0).split(':', 2)
                options[key] = value.strip()
            yield 'directive', (opened[1], opened[2].strip(), options, '\n'.join(body).strip())
        if plain_lines:
            yield 'text', '\n'.join(plain_lines)

    def inline(self, text):
        """A text's roles, pictures and labels of equations in plain Markdown."""
        made, at = [], 0
        for match in MARKED.finditer(text):
            made += [self.prose(text[at : match.start()])]
            made += [self.role(match) if match[1] else match[0]]
            at = match.end()
        return ''.join([*made, self.prose(text[at:])])

    def prose(self, text):
        """A text without roles and code, its numbers written as on the page."""
        text = LABEL.sub(lambda m: f'\\tag{{{self.equations[m[1]]}}}$$', text)
        text = typography.full(PICTURE.sub(self.picture, text), self.edition)
        return re.sub(r'^\([\w-]+\)=\n', '', text, flags=re.MULTILINE)

    def picture(self, match):
        alt, target = match[1], match[2]
        if not target.endswith('.svg'):
            self.refuse(f'the picture {target}')
        text = (self.path.parent / target).read_text(encoding='utf-8')
        name = figures.name_of(target, self.path.stem)
        own = figures.captions(str(ROOT / figures.CAPTIONS)).get(name, {})
        caption = own.get(self.edition.language) or figures.caption(alt)[0]
        number = self.words['figure'].format(self.figures[name])
        shown = f'![{alt}]({self.pictures.address(drawing(text, self.edition.language))})'
        return f'{shown}\n\n**{number}** {caption}'

    def role(self, match):
        name, said = match[1], match[2]
        if name == 'eq':
            if said not in self.equations:
                self.refuse(f'the equation {said}')
            return f'({self.equations[said]})'
        if name == 'numref':
            if said not in self.figures:
                self.refuse(f'the figure {said}')
            return self.words['figure'].format(self.figures[said])
        if name in ('cite:t', 'cite:p', 'cite'):
            return self.citation(name, [key.strip() for key in said.split(',')])
        if name in ('doc', 'd2l-term', 'term', 'ref'):
            named = re.fullmatch(r'(.*?)\s*<(.*)>', said, flags=re.DOTALL)
            words, target = (named[1], named[2]) if named else ('', said)
            if name == 'doc':
                return self.page_link(words, target)
            if name != 'ref':
                return words or target
        self.refuse(f'the role {{{name}}}')

    def page_link(self, words, target):
        words = words or title_of(self.path.parent / target)
        if not self.site:
            return f'**{words}**'
        page = f'{self.edition.language}/{self.edition.chapters}/{target}.html'
        return f'[{words}]({self.site}/{page})'

    def citation(self, name, keys):
        said = []
        for key in keys:
            if key not in self.cited:
                self.refuse(f'the citation {key}')
            authors, year, link = self.cited[key]
            words = f'{authors} ({year})' if name == 'cite:t' else f'{authors}, {year}'
            said.append(f'[{words}]({link})' if link else words)
        return ', '.join(said) if name == 'cite:t' else f'({"; ".join(said)})'


# --- files


def pages(book=BOOK, pictures=None, site=None):
    """(edition, name, exported notebook) of every chapter, edition by edition."""
    site = addresses.SITE if site is None else site
    for edition in book.editions:
        references = book.root / 'chapters' / 'references.bib'
        cited = citations(references, edition.words.get('citations'))
        for path in edition.notebooks:
            yield edition, path.name, Page(edition, path, pictures, cited, site).export()


def write(book=BOOK, out=OUT, pictures=None):
    """Writes every notebook and the zips; returns the paths of the zips."""
    shutil.rmtree(out, ignore_errors=True)
    for edition, name, notebook in pages(book, pictures):
        path = out / edition.language / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(nbformat.writes(notebook) + '\n', encoding='utf-8')
    zips = []
    for edition in book.editions:
        zips.append(out / f'd2lrec-{edition.language}.zip')
        with zipfile.ZipFile(zips[-1], 'w', zipfile.ZIP_DEFLATED) as archive:
            for path in sorted((out / edition.language).glob('*.ipynb')):
                # one date for all: the same notebooks give the same file
                info = zipfile.ZipInfo(f'd2lrec-{edition.language}/{edition.language}/{path.name}')
                info.compress_type = zipfile.ZIP_DEFLATED
                archive.writestr(info, path.read_bytes())
    return zips


def main():
    try:
        with Pictures() as pictures:
            zips = write(pictures=pictures)
    except ValueError as error:
        sys.exit(str(error))
    for path in zips:
        count = len(zipfile.ZipFile(path).namelist())
        print(f'  {Path(path).relative_to(ROOT)}: {count} notebooks, {path.stat().st_size:,} bytes')


if __name__ == '__main__':
    main()
