/* Search: words as readers type them, chapters before lists of names. Read by searchtools.js. */

var Scorer = {
  titled: page => (Search._index.titles || [])[Search._index.docnames.indexOf(page)] || "",
  // result: [page, title, anchor, description, score, file]
  score: result => {
    const [page, title, anchor, description, score] = result;
    Search.htmlToText = Scorer.quoted;   // what a result quotes
    Search.makeSearchSummary = Scorer.summary;
    const name = page.split("/").pop();
    const query = Asked.told;
    const wanted = query.toLowerCase().replace(/\s+/g, "");
    const compact = text => text.toLowerCase().replace(/<[^>]*>/g, "").replace(/&amp;|&/g, "and").replace(/[\s_-]+/g, "");
    const several = Scorer.asks(query).length > 1;     // one of the words in a title says little
    let points = several && !anchor && !description ? Math.min(score, Scorer.term) : score;
    if (/^(api_|genindex)/.test(name)) points -= 25;
    else if (/^(glossary|bibliography)$/.test(name)) points -= 15;
    else if (/^(teach|index|where_next)$/.test(name)) points -= 4;
    else points += 6;
    if (description) points += Scorer.coded(title) ? 45 : -5;    // an object of the library
    if (wanted.length > 1) {
      const chapter = compact(Scorer.titled(page));
      const listed = /^(api_|genindex|glossary|bibliography)/.test(name);
      if (!listed && (compact(name) === wanted || chapter === wanted)) points += 60;
      else if (!listed && new RegExp(`(^|[^a-z0-9])${wanted.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")}([^a-z0-9]|$)`)
        .test(Scorer.titled(page).toLowerCase())) points += 45;
      else if (!listed && chapter.includes(wanted)) points += 30;
      if (anchor && compact(title).endsWith(wanted)) points += 8;   // "Chapter > section"
      if (!anchor) points += 1;
    }
    points += Scorer.said(query, page) + Scorer.introduced(compact(query), page) + Scorer.taught(page);
    if (description === null && anchor && Scorer.first === page) points += 8;
    if (name === "glossary" || name === "bibliography") points = Math.min(points, 7);
    return points;   // a chapter that has the word at all has more
  },
  // A name that can only be code, as it is typed, and an object that has it: BatchLoader, warm_start.
  coded: object => {
    const typed = Asked.typed.trim().replace(/^d2l\./, "");
    return /^\w*([a-z][A-Z]|[A-Z]{2}[a-z]|\w_\w)\w*$/.test(typed) && object.split(".").pop() === typed
      && !Object.hasOwn(SearchCounts.terms, typed.toLowerCase());      // no chapter speaks of it
  },
  // A page that introduces what was asked for, in bold letters or with another name for it, rather
  // than one that has its words; of several pages the one that is read first.
  introduced: (term, page) => {
    if (typeof SearchCounts === "undefined" || !Object.hasOwn(SearchCounts.terms, term)) return 0;
    const place = SearchCounts.terms[term].indexOf(SearchCounts.pages.indexOf(page));
    return place < 0 ? 0 : place ? 12 : 20;
  },
  // The page where the glossary says that a term is taught; of a longer query, the term's part counts.
  taught: page => {
    const { terms, count } = Asked.terms(Asked.told);
    const shares = terms.filter(one => one.page === page).map(one => one.words / count);
    return 45 * Math.max(0, ...shares);
  },
  // The words of a query that say what is sought.
  asks: query => splitQuery(query.trim().toLowerCase())
    .filter(word => !stopwords.includes(word) && !/^\d+$/.test(word)),
  // How often a page says the words of the query, above all in its headings and where it stresses
  // them: three points for each doubling, the mean of the words, of which rare ones weigh more.
  said: (query, page) => {
    if (typeof SearchCounts === "undefined") return 0;
    if (Scorer.asked !== query) {
      const stemmer = new Stemmer(), count = SearchCounts.pages.length;
      Scorer.asked = query;
      const words = Scorer.asks(query).map(word => stemmer.stemWord(word));
      Scorer.about = SearchCounts.about.map((text, place) => {     // the title, and what the first page says
        const title = Scorer.titled(SearchCounts.pages[place]);
        return new Set(Asked.words(`${title} ${text}`).map(word => stemmer.stemWord(word)));
      });
      Scorer.words = words.filter(word => Object.hasOwn(SearchCounts.words, word)).map(word => {
        const of = SearchCounts.words[word], points = new Map();
        for (let i = 0; i < of.length; i += 2) points.set(of[i], of[i + 1]);
        const about = Scorer.about.map(all => all.has(word)
          || /[가-힣]{2}/.test(word) && [...all].some(one => one.startsWith(word)));
        return [Math.log(1 + count / points.size), points, about];
      });
    }
    const place = SearchCounts.pages.indexOf(page);
    const early = place < 0 ? 0 : 3 - 3 * place / SearchCounts.pages.length;    // what is read first
    const weights = Scorer.words.reduce((sum, [weight]) => sum + weight, 0);
    const points = Scorer.words.reduce((sum, [weight, of, about]) =>
      sum + weight * ((of.get(place) || 0) + (about[place] ? Scorer.title : 0)), 0);
    return early + (weights ? points / weights : 0);
  },
  // A page's sentences, or those of its section, without drawings, code, what it printed and TeX; with
  // code and what it printed for words that stand there alone. A mark stands before each paragraph.
  quoted: (text, anchor, all) => {
    const page = new DOMParser().parseFromString(text, "text/html");
    const main = page.querySelector('[role="main"] article') || page.querySelector('[role="main"]');
    const named = (anchor && main && main.querySelector(anchor)) || main;
    let part = named;
    if (named?.matches("dt") && named.nextElementSibling) {      // a term, and what it means
      part = page.createElement("div");
      part.append(named.cloneNode(true), named.nextElementSibling.cloneNode(true));
    }
    if (!part) return "";
    const code = ".cell_input, .cell_output, .highlight, div.math, details";
    const left = ".headerlink, script, style, svg, nav, .print-toc, #jb-print-docs-body, "
      + ".prev-next-area, .caption-number, .copybtn, .citation > .label, .d2lrec-instrument, "
      + "button, summary, .d2l-stacked";
    part.querySelectorAll(all ? left : `${left}, ${code}`).forEach(one => one.remove());
    part.querySelector("h1, h2, h3, h4")?.remove();   // the result's own title
    part.querySelectorAll(".math").forEach(one => { one.textContent = Scorer.plain(one.textContent); });
    part.querySelectorAll("h2, h3, h4").forEach(one => one.append(" —"));
    part.querySelectorAll("p, li, dt, dd, tr, pre, h2, h3, h4, figcaption, .citation")
      .forEach(one => one.matches("td *, th *") || one.prepend(one.matches("tr") ? Scorer.mark + Scorer.row : Scorer.mark));
    part.querySelectorAll("pre").forEach(one => {      // line by line; those of a class are its own
      one.textContent = one.textContent.split("\n").filter(line => !/\bself\b/.test(line)).join(Scorer.mark);
    });
    part.querySelectorAll("td, th").forEach(one => one.append(one.nextElementSibling ? " · " : " "));
    return part.textContent.replace(/\s+/g, " ").replace(RegExp(` ?${Scorer.mark}[ ${Scorer.mark}]*`, "g"), Scorer.mark)
      .replace(RegExp(`^${Scorer.mark}`), "").trim();
  },
  mark: "\u0001",
  row: "\u0002",     // after the mark: a row of a table, which is quoted where no sentence has the words
  // Where a text says the words, as [place, word]: a whole word rather than the beginning of one, that
  // rather than a part, and where there is none of these, a word of the same stem (memories, memory).
  places: (told, words) => {
    const lower = told.toLowerCase(), stemmer = new Stemmer();
    const written = [...lower.matchAll(/[\p{Letter}\p{Number}_]+/gu)];
    return words.flatMap(word => {
      const ranks = [[], [], []];
      for (let at = lower.indexOf(word); at > -1; at = lower.indexOf(word, at + 1)) {
        const begins = !/[\p{Letter}\p{Number}_]/u.test(lower[at - 1] || " ");
        const ends = !/[a-z0-9_]/.test(lower[at + word.length] || " ");
        ranks[begins ? (ends ? 0 : 1) : 2].push(at);
      }
      const best = ranks.find(one => one.length);
      const found = best || written.filter(one => stemmer.stemWord(one[0]) === word).map(one => one.index);
      return found.map(at => [at, word]);
    }).sort((one, two) => one[0] - two[0]);
  },
  // The lines about the words that were asked for, most of them together, from the beginning of a
  // sentence or of a word to the end of one.
  summary: (text, keywords, anchor) => {
    const words = [...keywords].map(word => word.toLowerCase());
    let told = Search.htmlToText(text, anchor), places = Scorer.places(told, words);
    if (!places.length) {          // in code or in what it printed, if anywhere
      const all = Scorer.quoted(text, anchor, true), there = Scorer.places(all, words);
      if (there.length) [told, places] = [all, there];
    }
    if (!told) return null;
    const lower = told.toLowerCase(), phrase = Asked.told.toLowerCase();
    if (words.length > 1)          // learning rate, though learn is a word as well
      for (let at = lower.indexOf(phrase); phrase && at > -1; at = lower.indexOf(phrase, at + 1))
        places.push(...words.map(word => [at, word]));
    places.sort((one, two) => one[0] - two[0]);
    const near = at => {
      const end = told.indexOf(Scorer.mark, at), last = Math.min(at + 180, end < 0 ? told.length : end);
      return new Set(places.filter(([place]) => place >= at && place < last).map(([, word]) => word)).size;
    };
    const sentence = at => told[told.lastIndexOf(Scorer.mark, at) + 1] !== Scorer.row ? .5 : 0;
    const best = words.length + .5 + (words.length > 1 && lower.includes(phrase) ? 1 : 0);
    const together = place => best > words.length + 1 && lower.startsWith(phrase, place) ? 1 : 0;
    const [at] = places.reduce((found, [place]) => {     // the first sentence with all of them will do
      const count = found[1] < best ? near(place) + sentence(place) + together(place) : 0;
      return count > found[1] ? [place, count] : found;
    }, [told.length, 0]);
    const found = at < told.length;      // not in what is quoted: its first lines
    let begin = !found ? 0 : Math.max(at - 120, 0), end = Math.min(begin + 240, told.length);
    const paragraph = found ? told.lastIndexOf(Scorer.mark, at) : -1;
    const stop = told.slice(begin, found ? at : 0).search(/[.?!] (?=\S)/);
    const whole = !begin || paragraph >= begin || stop > -1;
    if (paragraph >= begin) begin = paragraph + 1;
    else if (begin && stop > -1) begin += stop + 2;
    else if (begin) begin = Math.min(at, told.indexOf(" ", begin) + 1);
    end = Math.min(begin + 240, told.length);
    const over = told.indexOf(Scorer.mark, Math.max(begin + 80, found ? at + 1 : 0));
    const closed = over > -1 && over <= end;
    if (closed) end = over;
    else if (end < told.length) end = Math.max(told.lastIndexOf(" ", end), found ? at + 1 : 0);
    const line = document.createElement("p");
    line.classList.add("context");
    const said = told.slice(begin, end).replaceAll(Scorer.row, "").replaceAll(Scorer.mark, " ").replace(/ —$/, "").trim();
    const ended = closed && !/[,;:]$/.test(said);      // a formula may follow that is not quoted
    line.textContent = `${whole ? "" : "… "}${said}${end < told.length && !ended ? " …" : ""}`;
    return line;
  },
  low: Object.fromEntries([..."0123456789aehijklmnoprstuvx"].map((one, n) => [one, [..."₀₁₂₃₄₅₆₇₈₉ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓ"][n]])),
  // A formula as letters; where that does not do, as an ellipsis.
  plain: tex => {
    const signs = { times: "×", top: "ᵀ", sigma: "σ", mu: "μ", lambda: "λ", cdot: "·", le: "≤", ge: "≥", alpha: "α", beta: "β", theta: "θ", ln: "ln ", log: "log ", ldots: "…", dots: "…", odot: "⊙", approx: "≈", neq: "≠", pm: "±" };
    const said = tex.replace(/^\s*\\\(|\\\)\s*$/g, "")
      .replace(/\\(mathbf|mathrm|boldsymbol|text|operatorname|hat|bar|tilde|left|right|bigl?|bigr?|[,;!: ])(?![a-z])\s*/gi, "")
      .replace(/\\([a-z]+)( ?)/gi, (whole, name, gap) =>         // a sign between two keeps its gap
        !(name in signs) ? whole : signs[name] + (/\p{Letter}/u.test(signs[name]) ? "" : gap))
      .replace(/_\{?([a-z\d])\}?(?![a-z\d])/g, (whole, one) => Scorer.low[one] || whole)
      .replace(/[{}]/g, "");
    return said.includes("\\") ? "…" : said;
  },
  objNameMatch: 11,
  objPartialMatch: 6,
  objPrio: { 0: 15, 1: 5, 2: -5 },
  objPrioDefault: 0,
  title: 15,
  partialTitle: 7,
  term: 5,
  partialTerm: 2,
};

/* What a reader asked, in the words of the index: a name that is written apart, words that are
   written together, the other of the spellings -ise and -ize, one letter too many, too few, wrong
   or in another's place. Nothing is changed that a chapter has as it is. */
var Asked = {
  typed: "",
  told: "",
  words: text => text.toLowerCase().match(/[\p{Letter}\p{Number}_]+/gu) || [],
  key: words => words.map(word => new Stemmer().stemWord(word)).join(""),
  named: words => Asked.names().get(Asked.key(words)) || Asked.names().get(words.join("")),
  // The book's names, those that others have for the same, and where the glossary says it is taught.
  names: () => {
    if (Asked.known || typeof SearchCounts === "undefined") return Asked.known || new Map();
    Asked.known = new Map();
    for (const [names, others, place, anchor] of SearchCounts.taught)
      [...names, ...others].forEach((name, n) => {
        const one = { own: names[0], foreign: n >= names.length, page: SearchCounts.pages[place], anchor };
        for (const key of [Asked.key(Asked.words(name)), Asked.words(name).join("")])
          if (!Asked.known.has(key)) Asked.known.set(key, one);
      });
    return Asked.known;
  },
  // The longest names in some words, as [begin, end, name], for each run of words that `has` knows.
  runs: (words, has) => {
    const found = [];
    for (let at = 0; at < words.length;) {
      const end = [4, 3, 2, 1].map(count => at + count)
        .find(to => to <= words.length && has(words.slice(at, to)));
      if (end) found.push([at, end, has(words.slice(at, end))]);
      at = end || at + 1;
    }
    return found;
  },
  // The terms of the glossary in a query, with the number of their words, and how many it has in all.
  terms: query => {
    if (Asked.last?.query === query) return Asked.last;
    const words = splitQuery(query.toLowerCase());
    const terms = Asked.runs(words, some => Asked.named(some))
      .filter(([, , one]) => one.page).map(([begin, end, one]) => ({ ...one, words: end - begin }));
    return Asked.last = { query, terms, count: words.length };
  },
  // The query with the book's own name for what others call otherwise, or write together.
  own: query => {
    const words = Asked.words(query);
    const tails = ["", ...(typeof queryEndings === "undefined" ? [] : queryEndings)];
    const named = some => {
      const whole = some.join("");
      if (some.length === 1 && Asked.chapters(whole).length && !Asked.named(some)?.foreign) return null;
      for (const tail of tails) {
        if (!whole.endsWith(tail) || tail && !/[가-힣]/.test(whole.at(-tail.length - 1) || "")) continue;
        const last = some.at(-1).slice(0, some.at(-1).length - tail.length);
        const one = last && Asked.named([...some.slice(0, -1), last]);
        if (one) return one;
      }
      if (some.length < 2 || whole.length < 6 || some.every(word => Asked.chapters(word).length)) return null;
      for (const [name, one] of Asked.names())       // a slip in a name of several words
        if (Asked.near(Asked.letters(whole), Asked.letters(name))) return one;
      return null;
    };
    const told = [...words];
    for (const [begin, end, one] of Asked.runs(words, named).reverse()) {
      const said = words.slice(begin, end).every(word => Asked.chapters(word).length);
      if (one.foreign || !said) told.splice(begin, end - begin, ...Asked.words(one.own));
    }
    return told.join(" ") === words.join(" ") ? query : told.join(" ");
  },
  lists: /(^|\/)(api_[^/]*|genindex|glossary|bibliography)$/,
  // The chapters that have a word, as the index counts them.
  chapters: word => {
    const index = Search._index, stem = new Stemmer().stemWord(word);
    return [index.terms, index.titleterms].flatMap(of => Object.hasOwn(of, stem) ? of[stem] : [])
      .filter(page => !Asked.lists.test(index.docnames[page]));
  },
  // British and American, both ways.
  spellings: [
    [/is(e|ed|es|er|ers|ing|able|ation|ations)$/, "iz$1"], [/ys(e|ed|es|er|ers|ing)$/, "yz$1"],
    [/our/, "or"], [/ll(ed|ing|er|ers|ation)$/, "l$1"], [/tre(s?)$/, "ter$1"], [/ogue(s?)$/, "og$1"],
    [/ence(s?)$/, "ense$1"], [/[ao]e/, "e"],
    [/iz(e|ed|es|er|ers|ing|able|ation|ations)$/, "is$1"], [/yz(e|ed|es|er|ers|ing)$/, "ys$1"],
    [/or/, "our"], [/l(ed|ing|er|ers|ation)$/, "ll$1"], [/ter(s?)$/, "tre$1"], [/og(s?)$/, "ogue$1"],
    [/ense(s?)$/, "ence$1"],
  ],
  // Letters of Hangul apart: a slip is of one letter, not of a syllable.
  letters: word => word.normalize("NFD"),
  // Whether one slip of the hand makes the one of the other; the shorter the word, the fewer slips
  // are believed: a swap, a letter twice, one missing, another one.
  near: (one, other) => {
    const [a, b] = one.length > other.length ? [other, one] : [one, other];
    if (b.length - a.length > 1) return false;
    let i = 0;
    while (i < a.length && a[i] === b[i]) i += 1;
    if (a.length < b.length) return a.slice(i) === b.slice(i + 1) && (a.length > 3 && b.length > 4 || b[i] === b[i - 1]);
    return a[i] === b[i + 1] && a[i + 1] === b[i] && a.slice(i + 2) === b.slice(i + 2)
      || a.length > 7 && a.slice(i + 1) === b.slice(i + 1);
  },
  // Words as they are written, where the index has their stems; else none.
  written: () => typeof SearchCounts === "undefined" ? [] : SearchCounts.vocabulary,
  slip: (word, among) => {
    if (word.length < 3 || /\d|_/.test(word)) return null;
    const own = Asked.letters(word);
    let best = null, most = 0;
    for (const other of among) {
      if (Math.abs(other.length - word.length) > 1 || /[\d_]/.test(other) || /^.{0,2}$/.test(other) && !/[가-힣]/.test(other)) continue;
      if (!Asked.near(own, Asked.letters(other))) continue;
      const count = Asked.chapters(other).length;
      if (count > most) [best, most] = [other, count];
    }
    return best;
  },
  apart: word => {
    for (let at = word.length - 2; at > 1; at -= 1) {
      const parts = [word.slice(0, at), word.slice(at)];
      if (parts.every(part => Asked.chapters(part).length)) return parts;
    }
    return null;
  },
  // A word as the chapters have it; itself where they have it, or nothing like it.
  word: word => {
    const { terms, titleterms } = Search._index, written = Asked.written(), stem = one => new Stemmer().stemWord(one);
    if (stopwords.includes(word) || /^\d+$/.test(word) || Object.hasOwn(terms, word) && Asked.chapters(word).length) return [word];
    if (Asked.chapters(word).length)       // embeding has the stem of embedding
      return [written.includes(word) ? word : Asked.slip(word, written.filter(one => stem(one) === stem(word))) || word];
    for (const [own, other] of Asked.spellings) {
      const spelt = word.replace(own, other);
      if (spelt !== word && Asked.chapters(spelt).length) return [spelt];
    }
    const all = Object.keys(terms);
    if ([terms, titleterms].some(of => Object.hasOwn(of, stem(word)))) return [word];
    if (word.length > 2 && all.some(term => term.includes(word))) return [word];      // a part of a word
    const begun = word.length > 2 && written.find(one => one.startsWith(word));
    if (begun) return [begun];
    const slip = Asked.slip(word, written.length ? written : all);
    return slip ? [slip] : Asked.apart(word) || [word];
  },
  // Words that are one name in a title: deep fm.
  joined: words => {
    const made = [];
    for (let at = 0; at < words.length;) {
      const long = [3, 2].find(count => at + count <= words.length
        && Object.hasOwn(Search._index.titleterms, words.slice(at, at + count).join(""))) || 1;
      made.push(words.slice(at, at + long).join(""));
      at += long;
    }
    return made;
  },
  // A question without the words that only ask: what is AUC.
  bare: query => {
    const words = query.trim().split(/\s+/), fillers = typeof SearchCounts === "undefined" ? [] : SearchCounts.fillers;
    const kept = words.filter(word => !fillers.includes(word.toLowerCase().replace(/[^\p{Letter}]/gu, "")));
    return kept.length && kept.length < words.length ? kept.join(" ") : query;
  },
  meant: typedQuery => {
    const query = Asked.own(Asked.bare(typedQuery));
    const typed = typedQuery.toLowerCase().split(/[^\p{Letter}\p{Number}_]+/gu).filter(word => word);
    const words = Asked.joined(splitQuery(query.toLowerCase().trim())).flatMap(Asked.word);
    return words.join(" ") === typed.join(" ") ? typedQuery : words.join(" ");
  },
};

/* Sphinx asks the index for what is meant, and the glossary for where it is taught. What was typed
   comes last, where it is found as it is. */
if (typeof Search !== "undefined") {
  const parse = Search._parseQuery, perform = Search._performSearch;
  Search._parseQuery = query => {
    Asked.typed = query;
    Asked.told = Asked.meant(query);
    return parse(Asked.told);
  };
  // The sections where the query's terms are taught, in the form of the other results.
  const taught = whole => {
    const { docnames, titles, alltitles, filenames } = Search._index;
    const { terms, count } = Asked.terms(Asked.told);
    return terms.filter(one => !whole || one.words === count).map(({ page, anchor }) => {
      const place = docnames.indexOf(page);
      const [section] = Object.entries(alltitles).find(([, all]) =>     // no title that many pages have
        anchor && all.length < 4 && all.some(([at, id]) => at === place && id === anchor)) || [];
      const title = section ? `${titles[place]} > ${section}` : titles[place];
      const result = [page, title, section ? `#${anchor}` : "", null, Scorer.title, filenames[place]];
      result[4] = Scorer.score(result);
      return result;
    });
  };
  const place = ([page, , anchor, description]) => `${page}${anchor}${description}`;
  Search._performSearch = (query, ...words) => {
    const typed = Asked.typed;
    const titled = Object.entries(Search._index.alltitles)
      .filter(([title]) => Asked.words(title).join(" ").includes(Asked.words(query).join(" ")))
      .flatMap(([, all]) => all.map(([at]) => SearchCounts.pages.indexOf(Search._index.docnames[at])))
      .filter(at => at > -1);
    Scorer.first = SearchCounts.pages[Math.min(...titled)];
    let found = perform(query, ...words);
    const [terms, ...others] = words, chapter = one => !/(^|\/)index$/.test(one[0]) && !Asked.lists.test(one[0]);
    if (terms.size > 1 && !found.some(chapter))        // no chapter has them all: those that lack one
      for (const left of terms)
        found.push(...perform(query, new Set([...terms].filter(one => one !== left)), ...others).filter(chapter));
    found = [...new Map(found.map(one => [place(one), one])).values()];
    const own = taught(found.some(one => !Asked.lists.test(one[0])));
    const better = new Set(own.map(place));
    const told = one => better.has(place(one))             // by its section, or itself
      || !one[2] && own.some(([page, , , , points]) => page === one[0] && points >= one[4]);
    found = [...found.filter(one => !told(one)), ...own].sort((one, two) => one[4] - two[4]);
    const squeezed = text => text.toLowerCase().replace(/[^\p{Letter}\p{Number}]+/gu, "");
    const named = squeezed(query.replace(/^d2l(rec)?[. ]/, ""));
    // The library's own entry of that name is the second: no module, no definition in loops, and a
    // method where nothing else is called so.
    const entries = found.filter(([, title, anchor, description]) => description && !/^#module-|\.(definitions|check)\./.test(anchor)
      && squeezed(title.split(".").pop()) === named);
    const entry = entries.findLast(one => !/\.[A-Z]\w*\.\w+$/.test(one[1])) || entries.at(-1);
    if (entry && found.indexOf(entry) < found.length - 2)
      found = [...found.filter(one => one !== entry).slice(0, -1), entry, found.at(-1)];
    if (typed === query) return found;
    const places = new Set(found.map(place));
    const literal = perform(...parse(typed)).filter(one => !places.has(place(one)));
    parse(query);   // these are the words that pages light up
    if (found.length && Search.output && !squeezed(typed).startsWith(squeezed(query))) {
      const line = document.createElement("p");
      line.textContent = SearchCounts.meant.replace("{}", query);
      Search.output.before(line);
    }
    return [...literal, ...found];   // the best one is the last
  };
}
