/* Search: words as readers type them, chapters before lists of names. Read by searchtools.js. */

var Scorer = {
  // result: [page, title, anchor, description, score, file]
  score: result => {
    const [page, title, anchor, description, score] = result;
    Search.htmlToText = Scorer.quoted;   // what a result quotes
    Search.makeSearchSummary = Scorer.summary;
    const name = page.split("/").pop();
    const query = Asked.told;
    const wanted = query.toLowerCase().replace(/\s+/g, "");
    const compact = text => text.toLowerCase().replace(/<[^>]*>/g, "").replace(/&amp;|&/g, "and").replace(/[\s_-]+/g, "");
    let points = score;
    if (/^(api_|genindex)/.test(name)) points -= 25;
    else if (/^(glossary|bibliography)$/.test(name)) points -= 15;
    else if (/^(teach|install|index|protocol|where_next)$/.test(name)) points -= 4;
    else points += 6;
    if (description) points -= 5;              // an object of the library
    if (wanted.length > 1) {
      const chapter = compact((Search._index.titles || [])[Search._index.docnames.indexOf(page)] || "");
      const listed = /^(api_|genindex|glossary|bibliography)/.test(name);
      if (!listed && (compact(name) === wanted || chapter === wanted)) points += 60;
      else if (!listed && new RegExp(`(^|[^a-z0-9])${wanted.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")}([^a-z0-9]|$)`).test(
        ((Search._index.titles || [])[Search._index.docnames.indexOf(page)] || "").toLowerCase())) points += 45;
      else if (!listed && chapter.includes(wanted)) points += 30;
      if (anchor && compact(title).endsWith(wanted)) points += 8;   // "Chapter > section"
      if (!anchor) points += 1;
    }
    points += Scorer.said(query, page) + Scorer.introduced(compact(query), page);
    if (name === "glossary" || name === "bibliography") points = Math.min(points, 7);
    return points;   // a chapter that has the word at all has more
  },
  // A page that introduces what was asked for, in bold letters, rather than one that has its words.
  introduced: (term, page) => {
    if (typeof SearchCounts === "undefined" || !Object.hasOwn(SearchCounts.terms, term)) return 0;
    return SearchCounts.terms[term].includes(SearchCounts.pages.indexOf(page)) ? 12 : 0;
  },
  // How often a page says the words of the query: three points for each doubling, the mean of the words.
  said: (query, page) => {
    if (typeof SearchCounts === "undefined") return 0;
    if (Scorer.asked !== query) {
      const stemmer = new Stemmer();
      Scorer.asked = query;
      Scorer.words = splitQuery(query.trim()).map(word => stemmer.stemWord(word.toLowerCase()));
    }
    const place = SearchCounts.pages.indexOf(page);
    const points = Scorer.words.map(word => {
      const of = Object.hasOwn(SearchCounts.words, word) ? SearchCounts.words[word] : [];
      for (let i = 0; i < of.length; i += 2) if (of[i] === place) return of[i + 1];
      return 0;
    });
    return points.length ? points.reduce((sum, one) => sum + one, 0) / points.length : 0;
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
    part.querySelectorAll("p, li, dt, dd, tr, pre, h2, h3, h4, figcaption, .citation")
      .forEach(one => one.prepend(Scorer.mark));
    part.querySelectorAll("pre").forEach(one => {      // line by line; those of a class are its own
      one.textContent = one.textContent.split("\n").filter(line => !/\bself\b/.test(line)).join(Scorer.mark);
    });
    part.querySelectorAll("td, th").forEach(one => one.append(" "));
    return part.textContent.replace(/\s+/g, " ").replace(RegExp(` ?${Scorer.mark}[ ${Scorer.mark}]*`, "g"), Scorer.mark)
      .replace(RegExp(`^${Scorer.mark}`), "").trim();
  },
  mark: "\u0001",
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
    const near = at => new Set(places.filter(([place]) => place >= at && place < at + 180).map(([, word]) => word)).size;
    const [at] = places.reduce((best, [place]) => {
      const count = best[1] < words.length ? near(place) : 0;   // the first with all of them will do
      return count > best[1] ? [place, count] : best;
    }, [told.length, 0]);
    const found = at < told.length;      // not in what is quoted: its first lines
    let begin = !found ? 0 : Math.max(at - 120, 0), end = Math.min(begin + 240, told.length);
    const paragraph = found ? told.lastIndexOf(Scorer.mark, at) : -1;
    const sentence = told.slice(begin, found ? at : 0).search(/[.?!] (?=\S)/);
    const whole = !begin || paragraph >= begin || sentence > -1;
    if (paragraph >= begin) begin = paragraph + 1;
    else if (begin && sentence > -1) begin += sentence + 2;
    else if (begin) begin = Math.min(at, told.indexOf(" ", begin) + 1);
    end = Math.min(begin + 240, told.length);
    const over = told.indexOf(Scorer.mark, Math.max(begin + 80, found ? at + 1 : 0));
    const closed = over > -1 && over <= end;
    if (closed) end = over;
    else if (end < told.length) end = Math.max(told.lastIndexOf(" ", end), found ? at + 1 : 0);
    const line = document.createElement("p");
    line.classList.add("context");
    const said = told.slice(begin, end).replaceAll(Scorer.mark, " ").trim();
    line.textContent = `${whole ? "" : "… "}${said}${end < told.length && !closed ? " …" : ""}`;
    return line;
  },
  // A formula as letters; where that does not do, as an ellipsis.
  plain: tex => {
    const signs = { times: "×", top: "ᵀ", sigma: "σ", mu: "μ", lambda: "λ", cdot: "·", le: "≤", ge: "≥", alpha: "α", beta: "β", theta: "θ", ln: "ln ", log: "log ", ldots: "…", dots: "…", odot: "⊙", approx: "≈", neq: "≠", pm: "±" };
    const said = tex.replace(/^\s*\\\(|\\\)\s*$/g, "")
      .replace(/\\(mathbf|mathrm|boldsymbol|text|operatorname|hat|bar|tilde|left|right|bigl?|bigr?|[,;!: ])(?![a-z])\s*/gi, "")
      .replace(/\\([a-z]+) ?/gi, (whole, name) => name in signs ? signs[name] : whole)
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
  told: "",
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
  meant: query => {
    const typed = query.toLowerCase().split(/[^\p{Letter}\p{Number}_]+/gu).filter(word => word);
    const words = Asked.joined(splitQuery(query.toLowerCase().trim())).flatMap(Asked.word);
    return words.join(" ") === typed.join(" ") ? query : words.join(" ");
  },
};

/* Sphinx asks the index for what is meant. What was typed comes last, where it is found as it is. */
if (typeof Search !== "undefined") {
  const parse = Search._parseQuery, perform = Search._performSearch;
  let typed = "";
  Search._parseQuery = query => {
    typed = query;
    Asked.told = Asked.meant(query);
    return parse(Asked.told);
  };
  Search._performSearch = (query, ...words) => {
    const found = perform(query, ...words);
    if (typed === query) return found;
    const place = ([page, , anchor, description]) => `${page}${anchor}${description}`;
    const places = new Set(found.map(place));
    const literal = perform(...parse(typed)).filter(one => !places.has(place(one)));
    parse(query);   // these are the words that pages light up
    const squeezed = text => text.toLowerCase().replace(/[^\p{Letter}\p{Number}]+/gu, "");
    if (found.length && Search.output && !squeezed(typed).startsWith(squeezed(query))) {
      const line = document.createElement("p");
      line.textContent = SearchCounts.meant.replace("{}", query);
      Search.output.before(line);
    }
    return [...literal, ...found];   // the best one is the last
  };
}
