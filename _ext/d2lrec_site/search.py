"""Korean search: Sphinx 7 has none, and its page script matches whole words only when short."""

import json
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


# The page's side: a query's particles are taken off (학습률을), and words that are written together
# are found apart (행렬분해), as far as the index knows what is left.
QUERY = """
var splitQuery = query => {
  const particles = PARTICLES;
  const index = Search._index || { terms: {}, titleterms: {} };
  const known = word => Object.hasOwn(index.terms, word) || Object.hasOwn(index.titleterms, word);
  const apart = word => {           // the fewest known words of two syllables or more
    const best = [[]];
    for (let end = 1; end <= word.length; end += 1)
      for (let begin = 0; begin <= end - 2; begin += 1) {
        const part = word.slice(begin, end);
        const longer = best[end] && best[begin] && best[end].length <= best[begin].length + 1;
        if (best[begin] && known(part) && !longer)
          best[end] = [...best[begin], part];
      }
    return best[word.length];
  };
  const told = word => {
    if (!/[가-힣]/.test(word) || known(word)) return [word];
    const stems = particles
      .filter(tail => word.endsWith(tail) && word.length - tail.length > 1)
      .map(tail => word.slice(0, -tail.length))
      .sort((a, b) => a.length - b.length);
    const stem = stems.find(known);
    if (stem) return [stem];
    for (const one of [word, ...stems]) {
      const parts = apart(one);
      if (parts) return parts;
    }
    return [word];
  };
  return query
    .split(/[^\\p{Letter}\\p{Number}_]+/gu)
    .filter(word => word)
    .flatMap(word => word.match(/[가-힣]+|[^가-힣]+/g) || [])
    .flatMap(word => told(word.toLowerCase()))
};
"""


class SearchKorean(SearchLanguage):
    """Indexes every word, and every prefix of two syllables or more of its Hangul.

    Korean writes particles onto the word (모델은, 모델을), so the stem is a prefix.
    """

    lang = 'ko'
    language_name = 'Korean'
    js_splitter_code = QUERY.replace('PARTICLES', json.dumps(sorted(PARTICLES), ensure_ascii=False))

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
