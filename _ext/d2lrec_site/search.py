"""Search: Korean, which Sphinx 7 has not, and what a page says about itself.

Sphinx's index knows which pages have a word and no more. A page that says it forty times answers
better than one that says it once, one that has it in a heading better still, and best the one that
introduces it: `write_counts` gives the search page and its scorer what they need to know.
"""

import json
import math
import re
from collections import Counter

from docutils import nodes
from sphinx import addnodes
from sphinx.search import SearchLanguage

from d2lrec_site import glossary
from d2lrec_site.editions import BOOK

COUNTS = 'counts.js'
FEWEST = 3  # times that a page has to say a word
IN_HEADING, IN_GOALS, IN_BOLD = 4, 3, 2  # times that a word counts there, beside its own

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
var queryEndings = ENDINGS;
var splitQuery = query => {
  const endings = queryEndings;
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


def goals(doctree):
    """The lists that stand before a page's first section: what a reader learns there."""
    for page in doctree.children[:1]:
        for node in page.children:
            if isinstance(node, nodes.section):
                return
            yield from node.findall(nodes.bullet_list)


def stressed(doctree):
    """What a page says about itself, as (text, how often it counts beside its own place)."""
    for title in doctree.findall(nodes.title):
        if isinstance(title.parent, nodes.section):
            yield title.astext(), IN_HEADING
    for one in goals(doctree):
        yield one.astext(), IN_GOALS
    for strong in doctree.findall(nodes.strong):
        if isinstance(strong.parent, nodes.paragraph):
            yield strong.astext(), IN_BOLD


def told_in_front(doctree):
    """{page: what the first page tells about it}: its lists have an item for each chapter."""
    told = {}
    for item in doctree.findall(nodes.list_item):
        link = next(item.findall(addnodes.pending_xref), None)
        if link is not None and link.get('reftype') == 'doc':
            name = link['reftarget'].rpartition('/')[2]
            told[name] = item.astext().replace(link.astext(), '', 1)
    return told


def counts(language, pages):
    """{word of the index: [page, points, page, points, ...]}, three points for each doubling.

    `pages` are lists of (text, times that it counts), and are counted by their place.
    """
    found = {}
    for place, texts in enumerate(pages):
        said = Counter()
        for text, times in texts:
            words = (word.lower() for word in language.split(text))
            for word in words:
                if language.word_filter(word):
                    said[language.stem(word)] += times
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


def squeezed(term):
    """A term as the scorer has it."""
    return re.sub(r'[\s_\u2060-]+', '', term.lower())


# a term and what stands for it: alternating least squares (ALS), 과적합(overfitting)
SHORT = re.compile(r'((?:[\w-]+ ){1,4}[\w-]+) \(([A-Z][A-Za-z]*[A-Z])s?\)')
OTHER = re.compile(r'([가-힣]+(?: [가-힣]+)?) ?\(([A-Za-z][A-Za-z, -]+)\)')
VERSION = re.compile(r'-\d+\w*$')  # MovieLens-100K is a MovieLens
PARTS = re.compile(r'[,:;()—]|과 |와 | and ')  # what stands between the subjects of a heading


def bracketed(text):
    """Terms that a text gives in two forms, the other in brackets."""
    for words, short in SHORT.findall(text):
        begun = re.split('[ -]', words)[-len(short) :]
        if ''.join(word[0] for word in begun).lower() == short.lower():
            yield from (' '.join(begun), short)
    for own, others in OTHER.findall(text):
        first, *more = others.split(', ')
        yield from (own if ' ' in first else own.rpartition(' ')[2], first, *more)


def introduced(doctree):
    """Terms that a page introduces: in a heading, in bold letters, or in two forms."""
    for title in doctree.findall(nodes.title):
        if isinstance(title.parent, nodes.section):
            for part in PARTS.split(title.astext()):
                yield from (squeezed(part), squeezed(VERSION.sub('', part)))
    for strong in doctree.findall(nodes.strong):
        if isinstance(strong.parent, nodes.paragraph):
            yield squeezed(strong.astext())
    for paragraph in doctree.findall(nodes.paragraph):
        yield from map(squeezed, bracketed(paragraph.astext()))


def terms(edition, places):
    """What readers may type for the book's words, as [names of the book, others, page, section].

    These are the entries of the glossary, the edition's own name first, with the page and section
    where they are taught, and the edition's words for what the book calls otherwise.
    """
    own = edition.language
    others = [one.language for one in BOOK.others(edition)]
    for entry in glossary.entries(str(edition.root / glossary.FILE)):
        said = [entry[own], *(entry[one] for one in others if ' ' not in entry[one])]
        typed = [entry[one] for one in others if ' ' in entry[one]]  # one word may stand in code
        typed += [one for one in entry.get(f'{own}_avoid', []) if re.fullmatch(r'[\w -]+', one)]
        name, _, anchor = entry['taught'].partition('#')
        names = [*dict.fromkeys(said), *entry.get(f'{own}_asked', [])]
        yield [[one.replace('@k', '') for one in names], typed, places[name], anchor]
    for typed, meant in edition.words.get('asked', {}).items():
        yield [[meant], [typed]]


def write_counts(app, exception):
    """Writes what the pages of the book say and introduce, for the scorer."""
    indexer = getattr(app.builder, 'indexer', None)
    if exception or app.builder.format != 'html' or indexer is None:
        return
    edition = BOOK.of(app.config.language)
    names = [name for name in edition.pages if name in app.env.found_docs and '/api_' not in name]
    trees = {name: app.env.get_doctree(name) for name in names}
    front = told_in_front(trees[names[0]])
    texts = {name: ' '.join(spoken(tree)) for name, tree in trees.items()}
    pages = [
        [(texts[name], 1), *stressed(tree), (front.get(name.rpartition('/')[2], ''), IN_HEADING)]
        for name, tree in trees.items()
    ]
    found = {}
    for place, tree in enumerate(trees.values()):
        for term in introduced(tree):
            if 1 < len(term) < 40 and place not in found.setdefault(term, []):
                found[term].append(place)
    places = {name.rpartition('/')[2]: place for place, name in enumerate(names)}
    made = {
        'pages': names,
        'words': counts(indexer.lang, pages),
        'terms': found,
        'about': [front.get(name.rpartition('/')[2], '') for name in names],
        'taught': list(terms(edition, places)),
        'vocabulary': vocabulary(indexer.lang, texts.items()),
        'meant': edition.words['meant'],
        'fillers': edition.words['fillers'].split(),
    }
    text = json.dumps(made, ensure_ascii=False, separators=(',', ':'))
    path = f'{app.outdir}/_static/{COUNTS}'
    with open(path, 'w', encoding='utf-8') as file:
        file.write(f'var SearchCounts = {text};')


def add_counts(app, pagename, templatename, context, doctree):
    """The search page loads them, before its own script counts."""
    if pagename == 'search':
        context['metatags'] += f'<script src="_static/{COUNTS}"></script>\n'
