"""Writes each edition's _config*.yml and _toc*.yml, from book.yml, its words.yml and config.yml."""

import json
import sys
from pathlib import Path
from string import Template

from chapters import BOOK, ROOT

HEAD = '# Made by `make editions` from {}: change those.\n'
TEMPLATE = Path(__file__).with_name('config.yml')


def quoted(text):
    """A text as YAML on one line."""
    return json.dumps(text, ensure_ascii=False)


def config(edition):
    """What jupyter-book reads of an edition beside its contents."""
    words = edition.words
    fields = {key: quoted(words[key]) for key in ('title', 'author', 'copyright')}
    head = HEAD.format(f'tools/config.yml and {edition.chapters}/words.yml')
    text = Template(TEMPLATE.read_text(encoding='utf-8'))
    return head + text.substitute(fields, language=edition.language)


def toc(edition):
    """The edition's contents as jupyter-book reads them."""
    lines = [
        HEAD.format(f'book.yml and {edition.chapters}/words.yml') + 'format: jb-book',
        f'root: {edition.chapters}/{edition.first}',
        'parts:',
    ]
    for name, pages in zip(edition.words['parts'], edition.parts):
        lines += [f'  - caption: {quoted(name)}']
        if edition.numbered(pages):
            lines += ['    numbered: 2']  # chapters and their sections; the appendix has no number
        lines += ['    chapters:']
        lines += [f'      - file: {edition.chapters}/{page}' for page in pages]
    return '\n'.join(lines) + '\n'


def files(book=BOOK):
    """{name of a file: what belongs in it}, for all editions."""
    return {
        name: text
        for edition in book.editions
        for name, text in ((edition.config, config(edition)), (edition.toc, toc(edition)))
    }


def main(arguments=(), book=BOOK, root=ROOT):
    """Writes what differs; with `--check` it says so and ends with an error."""
    wrong = [
        (name, text)
        for name, text in files(book).items()
        if not (root / name).exists() or (root / name).read_text(encoding='utf-8') != text
    ]
    if list(arguments) == ['--check'] and wrong:
        sys.exit(f'{", ".join(name for name, _ in wrong)}: not what book.yml says; make editions.')
    for name, text in wrong:
        (root / name).write_text(text, encoding='utf-8')
        print(f'  {name} written')


if __name__ == '__main__':
    main(sys.argv[1:])
