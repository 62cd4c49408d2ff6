"""The buttons above a page that lead to its notebook: to download it, or to run it elsewhere.

They appear where `tools/export.py` has made the notebooks, as `make book` does before the pages.
"""

import shutil
from pathlib import Path

from d2lrec_site import addresses
from d2lrec_site.editions import BOOK, ROOT

EXPORTED = ROOT / '_build' / 'notebooks'
FOLDER = 'notebooks'  # in an edition's part of the site


def _link(label, text, url, icon):
    return {
        'type': 'link',
        'label': label,
        'text': text,
        'tooltip': text,
        'url': url,
        'icon': f'fas fa-{icon}',
    }


def add_buttons(app, pagename, templatename, context, doctree):
    """Gives a chapter's page its notebook that runs alone, and all pages the edition's zip."""
    edition = BOOK.of(app.config.language)
    words, up = edition.words.get('notebook'), '../' * pagename.count('/')
    archive = f'd2lrec-{edition.language}.zip'
    groups = [
        one for one in context.get('header_buttons', []) if one.get('label') == 'download-buttons'
    ]
    if not words or not groups or not (EXPORTED / archive).exists():
        return
    (group,) = groups
    name = f'{Path(pagename).name}.ipynb'
    source = [
        one
        for one in group['buttons']
        if one['label'] not in ('download-notebook-button', 'download-source-button')
    ]
    own = [_link('download-zip-button', words['zip'], f'{up}{FOLDER}/{archive}', 'file-archive')]
    if (EXPORTED / edition.language / name).exists():
        own.insert(
            0, _link('download-notebook-button', words['download'], f'{up}{FOLDER}/{name}', 'code')
        )
        places = addresses.launchers(edition.language, name)
        if places:
            context['header_buttons'].insert(
                0,
                {
                    'type': 'group',
                    'label': 'launch-buttons',
                    'tooltip': words['launch'],
                    'icon': 'fas fa-rocket',
                    'buttons': [
                        _link(f'launch-{place}-button', words[place], url, 'play')
                        for place, url in places.items()
                    ],
                },
            )
    else:
        source = [one for one in group['buttons'] if one['label'] != 'download-notebook-button']
    group['buttons'] = own + source


def copy_notebooks(app, exception):
    """Puts the notebooks behind the buttons into the edition's part of the site."""
    language = app.config.language
    archive = EXPORTED / f'd2lrec-{language}.zip'
    if exception or app.builder.format != 'html' or not archive.exists():
        return
    out = Path(app.outdir) / FOLDER
    shutil.rmtree(out, ignore_errors=True)
    shutil.copytree(EXPORTED / language, out)
    shutil.copy(archive, out)
