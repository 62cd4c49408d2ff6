"""An edition's words where Sphinx's and the theme's own catalogues have none or a poor one."""

import gettext
import json

from sphinx.locale import _, translators


class Words(gettext.NullTranslations):
    """A catalogue kept in a dictionary, before the one that it stands on."""

    def __init__(self, words):
        super().__init__()
        self._words = words

    def gettext(self, message):
        return self._words.get(message) or super().gettext(message)


def install(app, words):
    """Puts these words before the catalogues that Sphinx and the theme loaded."""
    for name in ('sphinx', 'booktheme', 'togglebutton', 'exercise'):
        catalogue = Words(words)
        catalogue.add_fallback(translators.get(('general', name), gettext.NullTranslations()))
        translators[('general', name)] = catalogue
    templates = app.builder.templates
    templates.environment.install_gettext_translations(translators[('general', 'sphinx')])


# Sphinx cuts an entry's first letter off its decomposed form: ᄀ, which opens a syllable and is
# drawn as a corner where it stands alone; these are the letters themselves.
OWN = 'ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ'
LETTERS = {chr(0x1100 + at): letter for at, letter in enumerate(OWN)}


def tell_index(app, pagename, templatename, context, doctree):
    """The index's heads are letters that can stand alone, and a module is one line with a link.

    Sphinx lists each module twice: under its name, and under M among all modules.
    """
    if 'genindexentries' in context:
        context['genindexentries'] = [
            (
                LETTERS.get(letter, letter),
                [of_module(name, *held) for name, held in entries if name != 'module'],
            )
            for letter, entries in context['genindexentries']
        ]


def of_module(name, links, below, key=None):
    """An entry of the index; a module's own line stands in the place of the one below its name."""
    if not links and [one for one, _links in below] == ['module']:
        return f'{name} ({_("module")})', (below[0][1], [], key)
    return name, (links, below, key)


def teach_scripts(static, words):
    """Puts an edition's words in the place of those in the scripts of the built site."""
    names = ('searchtools.js', 'sphinx_highlight.js', 'togglebutton.js')
    scripts = [static / name for name in names]
    texts = {script: script.read_text(encoding='utf-8') for script in scripts}
    for english, own in words.items():
        own_text = json.dumps(own, ensure_ascii=False)
        said = [script for script in scripts if f'"{english}"' in texts[script]]
        if not said and not any(own_text in text for text in texts.values()):
            raise ValueError(f'no script says {english!r} any more: see what searchtools.js says.')
        for script in said:
            texts[script] = texts[script].replace(f'"{english}"', own_text)
    for script, text in texts.items():
        script.write_text(text, encoding='utf-8')


def teach_copy_button(script, language, words):
    """Adds a language to the copy button's script, a file of the built site."""
    text = script.read_text(encoding='utf-8')
    marker = "let locale = 'en'"
    if marker not in text:
        raise ValueError(f'{script} has no line {marker!r}: see how it picks its language now.')
    line = f'messages[{json.dumps(language)}] = '
    if line not in text:
        line += f'{json.dumps(words, ensure_ascii=False)}\n\n'
        script.write_text(text.replace(marker, line + marker), encoding='utf-8')
