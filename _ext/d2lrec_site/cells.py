"""Code cells on a page: what they printed, in its language, and the words on folded ones."""

from d2lrec.phrases import phrasebook

from docutils import nodes

from d2lrec_site.editions import BOOK

CODE = ('python', 'python3', 'ipython', 'ipython3')  # a source that a cell shows is no speech


def tell_outputs(app, doctree):
    """What a cell printed and its tables, in the page's language; the code above it stays."""
    book = phrasebook(app.config.language)
    if book is None:
        return
    for output in doctree.findall(nodes.container):
        if output.get('nb_element') != 'cell_code_output':
            continue
        for block in output.findall(nodes.literal_block):
            if block.get('language') in CODE:
                continue
            told = book.text(block.astext())
            if told != block.astext():
                block.rawsource = told
                block.children = []
                block += nodes.Text(told)
        for raw in output.findall(nodes.raw):
            if raw.get('format') == 'html' and '<table' in raw.astext() and not raw.get('d2l_told'):
                told = book.markup(raw.astext())
                raw.rawsource = told
                raw.children = []
                raw += nodes.Text(told)


def name_folds(app, doctree):
    """A folded cell that says what it is for, by its tag, has words of its own on the fold."""
    named = BOOK.of(app.config.language).words.get('folds', {})
    for cell in doctree.findall(nodes.container):
        if cell.get('nb_element') != 'cell_code' or not cell.get('hide_mode'):
            continue
        for tag in cell.get('cell_metadata', {}).get('tags', []):
            if tag in named:
                cell['prompt_show'] = cell['prompt_hide'] = named[tag]
