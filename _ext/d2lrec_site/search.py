"""Search: Korean, which Sphinx 7 has not, and how often a page says a word.

Sphinx's index knows which pages have a word and no more. A page that says it forty times answers
better than one that says it once: `write_counts` gives the search page and its scorer the numbers.
"""

import json
import math
import re
from collections import Counter

from docutils import nodes
from sphinx.search import SearchLanguage

from d2lrec_site.editions import BOOK

COUNTS = 'counts.js'
FEWEST = 3  # times that a page has to say a word

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
# endings of a query's words beside them
ENDINGS = PARTICLES | set(
    """
    란 이란 라는 이라는 라고 이라고 인가 인지 에게 에게서 한테 께 이나
    이며 조차 밖에 으로서 로서 으로써 로써 에는 에도 에만 에서는 에서도
    에서의 에서만 에의 으로는 로는 으로도 로도 으로의 로의 으로만 로만
    까지는 까지도 까지의 부터는 부터의 와의 과의 와는 과는 만을 만은 만이
    만의 으로부터 로부터 에서부터 보다는 보다도 처럼은 에게는 에게도
    """.split()
)


# The page's side: a query's particles are taken off (학습률을), and words that are written together
# are found apart (행렬분해), as far as the index knows what is left.
QUERY = """
var splitQuery = query => {
  const endings = ENDINGS;
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
    const verb = word.replace(/(하기|하는|하다|하면|하려면|한다|합니다)$/, "");
    if (/[가-힣]{2}/.test(verb) && verb !== word && known(verb)) return [verb];   // 저장하기
    if (!/[가-힣]/.test(word)) return [word];
    const noun = known(word) && ["을", "를", "이", "가"].some(tail => known(word + tail));
    if (noun && !/(은|는|을|를|..에서|..으로|까지|부터)$/.test(word))
      return [word];                // 정확도, whose end is no particle
    const stems = endings
      .filter(tail => word.endsWith(tail) && word.length - tail.length > 1)
      .map(tail => word.slice(0, -tail.length))
      .sort((a, b) => a.length - b.length);
    const stem = stems.find(known);
    if (stem || known(word)) return [stem || word];
    for (const one of [word, ...stems]) {
      const parts = apart(one);
      if (parts) return parts;
    }
    return [word];
  };
  return query
    .split(/[^\\p{Letter}\\p{Number}_]+/gu)
    .filter(word => word)
    .map(word => word.match(/[가-힣]+|[^가-힣]+/g) || [])
    .flatMap(runs => runs.filter((run, n) => !n || !endings.includes(run)))   // GPU에서
    .flatMap(word => told(word.toLowerCase()))
};
"""


class SearchKorean(SearchLanguage):
    """Indexes every word, and every prefix of two syllables or more of its Hangul.

    Korean writes particles onto the word (모델은, 모델을), so the stem is a prefix.
    """

    lang = 'ko'
    language_name = 'Korean'
    js_splitter_code = QUERY.replace('ENDINGS', json.dumps(sorted(ENDINGS), ensure_ascii=False))

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


def spoken(doctree):
    """The text of a page outside its code and what that printed."""
    for text in doctree.findall(nodes.Text):
        if not isinstance(text.parent, (nodes.literal_block, nodes.raw, nodes.math_block)):
            yield text.astext()


def counts(language, pages):
    """{word of the index: [page, points, page, points, ...]}, three points for each doubling.

    `pages` are (name, text); they are counted by their place among them.
    """
    found = {}
    for place, (_, text) in enumerate(pages):
        words = (word.lower() for word in language.split(text))
        said = Counter(language.stem(word) for word in words if language.word_filter(word))
        for word, times in said.items():
            if times >= FEWEST:
                found.setdefault(word, []).extend([place, round(3 * math.log2(times))])
    return found


def vocabulary(language, pages):
    """Words that are said twice or more, for the search page: a slip of the hand is looked for
    among words as they are written. None for a language whose words the index has as they are."""
    lists = re.compile(r'(^|/)(glossary|bibliography)$')
    said = Counter(
        word.lower()
        for name, text in pages
        if not lists.search(name)
        for word in re.findall(r'[^\W\d_]{3,}', text)
    )
    often = sorted(word for word, times in said.items() if times > 1)
    return often if any(language.stem(word) != word for word in often) else []


def introduced(doctree):
    """Terms that a page introduces, in bold letters within its text, as the scorer has them."""
    for strong in doctree.findall(nodes.strong):
        term = re.sub(r'[\s_\u2060-]+', '', strong.astext().lower())
        if 2 < len(term) < 40 and isinstance(strong.parent, nodes.paragraph):
            yield term


def write_counts(app, exception):
    """Writes how often each page of the book says its words, for the scorer."""
    indexer = getattr(app.builder, 'indexer', None)
    if exception or app.builder.format != 'html' or indexer is None:
        return
    names = sorted(name for name in app.env.found_docs if '/api_' not in name)
    trees = [app.env.get_doctree(name) for name in names]
    pages = [(name, ' '.join(spoken(tree))) for name, tree in zip(names, trees)]
    terms = {}
    for place, tree in enumerate(trees):
        for term in introduced(tree):
            if place not in terms.setdefault(term, []):
                terms[term].append(place)
    made = {
        'pages': names,
        'words': counts(indexer.lang, pages),
        'terms': terms,
        'vocabulary': vocabulary(indexer.lang, pages),
        'meant': BOOK.of(app.config.language).words['meant'],
    }
    text = json.dumps(made, ensure_ascii=False, separators=(',', ':'))
    path = f'{app.outdir}/_static/{COUNTS}'
    with open(path, 'w', encoding='utf-8') as file:
        file.write(f'var SearchCounts = {text};')


def add_counts(app, pagename, templatename, context, doctree):
    """The search page loads them, before its own script counts."""
    if pagename == 'search':
        context['metatags'] += f'<script src="_static/{COUNTS}"></script>\n'
