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
    """The index's heads are letters that can stand alone, and its one English word is told."""
    if 'genindexentries' in context:
        context['genindexentries'] = [
            (
                LETTERS.get(letter, letter),
                [(_(name) if name == 'module' else name, held) for name, held in entries],
            )
            for letter, entries in context['genindexentries']
        ]


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
