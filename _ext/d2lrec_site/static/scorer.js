/* Search: words as readers type them, chapters before lists of names. Read by searchtools.js. */

var Scorer = {
  // result: [page, title, anchor, description, score, file]
  score: result => {
    const [page, title, anchor, description, score] = result;
    Search.htmlToText = Scorer.quoted;   // what a result quotes
    Search.makeSearchSummary = Scorer.summary;
    const name = page.split("/").pop();
    const query = (document.querySelector('#search-results ~ * input[name="q"], input[name="q"]') || {}).value || "";
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
    points += Scorer.said(query, page);
    if (name === "glossary" || name === "bibliography") points = Math.min(points, 7);
    return points;   // a chapter that has the word at all has more
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
  // A page's sentences, or those of its section, without drawings, code, what it printed and TeX.
  quoted: (text, anchor) => {
    const page = new DOMParser().parseFromString(text, "text/html");
    const main = page.querySelector('[role="main"] article') || page.querySelector('[role="main"]');
    const part = (anchor && main && main.querySelector(anchor)) || main;
    if (!part) return "";
    const left = ".headerlink, script, style, svg, .cell_input, .cell_output, .highlight, div.math, "
      + "details, nav, .print-toc, #jb-print-docs-body, .prev-next-area, .caption-number";
    part.querySelectorAll(left).forEach(one => one.remove());
    part.querySelector("h1, h2, h3, h4")?.remove();   // the result's own title
    part.querySelectorAll("span.math").forEach(one => { one.textContent = Scorer.plain(one.textContent); });
    return part.textContent.replace(/\s+/g, " ").trim();
  },
  // The lines about the word that was asked for, from the beginning of a word to the end of one.
  summary: (text, keywords, anchor) => {
    const told = Search.htmlToText(text, anchor);
    if (!told) return null;
    const lower = told.toLowerCase();
    const at = Math.min(...[...keywords].map(word => lower.indexOf(word.toLowerCase())).filter(place => place > -1), told.length);
    const found = at < told.length;      // not in what is quoted: its first lines
    let begin = !found ? 0 : Math.max(at - 120, 0), end = Math.min(begin + 240, told.length);
    const sentence = told.slice(begin, found ? at : 0).search(/[.?!] (?=\S)/);
    if (begin && sentence > -1) begin += sentence + 2;
    else if (begin) begin = Math.min(at, told.indexOf(" ", begin) + 1);
    if (end < told.length) end = Math.max(told.lastIndexOf(" ", end), found ? at + 1 : 0);
    const line = document.createElement("p");
    line.classList.add("context");
    line.textContent = `${begin && sentence < 0 ? "… " : ""}${told.slice(begin, end)}${end < told.length ? " …" : ""}`;
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
