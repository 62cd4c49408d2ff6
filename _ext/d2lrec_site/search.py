"""Korean search: Sphinx 7 has none, and its page script matches whole words only when short."""

import re

from sphinx.search import SearchLanguage

WORD = re.compile(r'\w+')
HANGUL_RUN = re.compile(r'[가-힣]+')
OTHER_RUN = re.compile(r'[^\W가-힣]+')
# particles after which a noun of one syllable still counts as a word (층을, 값은)
PARTICLES = {
    '은',
    '는',
    '이',
    '가',
    '을',
    '를',
    '의',
    '에',
    '와',
    '과',
    '로',
    '도',
    '만',
    '으로',
    '에서',
    '마다',
    '부터',
    '까지',
    '보다',
    '처럼',
    '이다',
    '입니다',
}


class SearchKorean(SearchLanguage):
    """Indexes every word, and every prefix of two syllables or more of its Hangul.

    Korean writes particles onto the word (모델은, 모델을), so the stem is a prefix.
    """

    lang = 'ko'
    language_name = 'Korean'

    def split(self, text):
        """Words of a text with their prefixes, in order, repeats included."""
        words = []
        for word in WORD.findall(text):
            words.append(word)
            runs = HANGUL_RUN.findall(word)
            words += [run[:n] for run in runs for n in range(2, len(run) + 1)]
            words += [run[0] for run in runs if run[1:] in PARTICLES]
            if runs:
                words += OTHER_RUN.findall(word)
        return words
