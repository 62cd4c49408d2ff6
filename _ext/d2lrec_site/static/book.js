/* The page's own: the switch of languages keeps the section, tables sort, plots can be read. */
(() => {
  "use strict";

  /* The section that was asked for: its name, which may be nobody's, and its element. */
  const asked = () => window.location.hash.slice(1);
  const target = () => document.getElementById(asked());

  /* The section that is being read: the last heading above the upper third of the window. */
  const section = () => {
    const line = window.innerHeight / 3;
    let last = "";
    for (const heading of document.querySelectorAll(".bd-article section[id] > :is(h2, h3, h4)")) {
      if (heading.getBoundingClientRect().top > line) break;
      last = heading.parentElement.id;
    }
    return last;
  };

  const keepSection = link => {
    const plain = link.getAttribute("href").split("#")[0];
    const lead = () => {
      const name = section() || asked();
      link.setAttribute("href", name ? `${plain}#${name}` : plain);
    };
    for (const event of ["pointerdown", "focus", "click", "contextmenu"])
      link.addEventListener(event, lead);
  };

  /* The search field over a page is a dialog: Tab stays in it, Escape closes it wherever the focus
     is, and the focus goes back to where it was. */
  const modal = wrapper => {
    const field = wrapper.querySelector("input"), box = field?.closest(".search-button__search-container");
    if (!box) return;
    const shown = () => wrapper.classList.contains("show");
    let opener = null, open = false;
    box.setAttribute("role", "dialog");
    box.setAttribute("aria-modal", "true");
    box.setAttribute("aria-label", field.getAttribute("aria-label"));
    field.addEventListener("focus", event => { if (!open) opener = event.relatedTarget; });
    window.addEventListener("keydown", event => {
      if (!shown()) return;
      if (event.key === "Tab") {
        event.preventDefault();
        field.focus();
      }
      if (event.key === "Escape") {
        event.stopImmediatePropagation();      // the theme would turn it over once more
        wrapper.classList.remove("show");
      }
    }, true);
    new MutationObserver(() => {
      if (open && !shown()) opener ? opener.focus({ preventScroll: true }) : field.blur();
      open = shown();
    }).observe(wrapper, { attributeFilter: ["class"] });
  };

  /* A table with the class sortable: a click on a head sorts by its column, numbers as numbers. */
  const number = text => {
    const found = text.replace(/,/g, "").match(/^\s*[-−+]?\d*\.?\d+/);
    return found ? parseFloat(found[0].replace("−", "-")) : NaN;
  };
  const sortable = table => {
    const body = table.tBodies[0];
    const heads = table.tHead && table.tHead.rows[table.tHead.rows.length - 1];
    if (!body || !heads || body.rows.length < 3) return;
    [...heads.cells].forEach((head, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "d2l-sort";
      button.append(...head.childNodes);
      head.append(button);
      head.setAttribute("aria-sort", "none");
      button.addEventListener("click", () => {
        const up = head.getAttribute("aria-sort") !== "ascending";
        for (const other of heads.cells) other.setAttribute("aria-sort", "none");
        head.setAttribute("aria-sort", up ? "ascending" : "descending");
        const value = row => row.cells[column].textContent.trim();
        const rows = [...body.rows].sort((a, b) => {
          const [x, y] = [value(a), value(b)], [n, m] = [number(x), number(y)];
          if (Number.isNaN(n) !== Number.isNaN(m)) return Number.isNaN(n) ? 1 : -1;
          return (Number.isNaN(n) ? x.localeCompare(y) : n - m) * (up ? 1 : -1);
        });
        body.append(...rows);
      });
    });
  };

  /* What scrolls sideways fades at the side where there is more (as it has no scroll bar on a phone),
     can be scrolled by keyboard, and says what it is. */
  const hint = element => {
    if (element.matches("span")) return;       // a formula within a sentence
    const left = element.scrollLeft, rest = element.scrollWidth - element.clientWidth - left;
    element.classList.toggle("d2l-before", left > 2);
    element.classList.toggle("d2l-after", rest > 2);
  };
  /* What makes a table narrower, the mildest first: less room between its columns, smaller letters;
     then, on a phone, its few rows stand beside each other, or each row is a card that says the heads. */
  const phone = window.matchMedia("(max-width: 576px)");
  const FORMS = ["d2l-tight", "d2l-tighter", "d2l-turned", "d2l-cards"];
  const formsOf = table => {
    const rows = [...(table.tBodies[0]?.rows || [])], printed = table.matches(".dataframe");
    const forms = printed ? FORMS.slice(0, 2) : FORMS.slice(0, 1);
    const joined = table.querySelector("[colspan]:not([colspan='1']), [rowspan]:not([rowspan='1'])");
    if (!phone.matches || joined || !rows.length || table.tHead?.rows.length !== 1) return forms;
    const cells = rows.flatMap(row => [...row.cells].slice(1));
    const numbers = cells.filter(cell => cell.matches(".number")).length;
    if (printed && rows.length < 4) return [...forms, "d2l-turned"];
    return numbers > cells.length / 2 ? forms : [...forms, "d2l-cards"];
  };
  /* A card's cells say their heads, but a name behind a number, which every row has; what is laid out
     otherwise stays a table to those who listen. */
  const tell = table => {
    const heads = [...table.tHead.rows[0].cells].map(head => head.textContent.trim());
    const named = [...table.tBodies].flatMap(body => [...body.rows]).every(row => row.cells[1]?.textContent.trim());
    table.setAttribute("role", "table");
    for (const part of [table.tHead, ...table.tBodies]) part.setAttribute("role", "rowgroup");
    for (const row of table.rows) {
      row.setAttribute("role", "row");
      row.classList.toggle("d2l-short", named && /^\P{Letter}{0,3}$/u.test(row.cells[0].textContent.trim()));
      [...row.cells].forEach((cell, n) => {
        const head = cell.parentElement.parentElement === table.tHead;
        const kind = head ? heads[n] && "columnheader" : cell.tagName === "TH" && "rowheader";
        cell.setAttribute("role", kind || "cell");              // a head without a word is none
        const told = n || !named && /^\d+$/.test(cell.textContent.trim());      // session 1
        if (!head && told && heads[n]) cell.dataset.head = cell.textContent.trim() && heads[n];
      });
    }
  };
  const wide = element => element.scrollWidth > element.clientWidth + 1;
  const tighten = element => {
    element.classList.remove(...FORMS);
    const table = element.querySelector("table");
    if (!table || !wide(element)) return;
    for (const form of formsOf(table)) {
      element.classList.add(form);
      if (form === "d2l-tighter") element.classList.add("d2l-tight");
      if (form === "d2l-turned" || form === "d2l-cards") {
        element.classList.remove("d2l-tight", "d2l-tighter");
        tell(table);
      }
      if (!wide(element)) return;
    }
    element.classList.remove(...FORMS);
  };

  /* What is printed in sentences breaks its lines on a phone; what stands in columns does not. */
  const COLUMNS = /\S(?: {2,}|[ \u00a0]*\u00a0[ \u00a0]*)\S/;
  const wrap = pre => {
    pre.classList.remove("d2l-broken");
    const printed = pre.closest(".cell_output .highlight-myst-ansi");
    pre.classList.toggle("d2l-broken", !!printed && phone.matches && wide(pre) && !COLUMNS.test(pre.textContent));
  };
  /* Code whose longest line is a little too long for its box is set smaller rather than cut. */
  const LITTLE = 0.84;
  const shrink = pre => {
    pre.style.fontSize = "";
    const style = getComputedStyle(pre), sides = parseFloat(style.paddingLeft) + parseFloat(style.paddingRight);
    if (!wide(pre) || pre.clientWidth / pre.scrollWidth < LITTLE) return;
    const part = (pre.clientWidth - sides) / (pre.scrollWidth - parseFloat(style.paddingLeft));
    pre.style.fontSize = `${Math.floor(parseFloat(style.fontSize) * part * 100) / 100}px`;
  };

  /* Of a table that goes on to the side the rows' names stay in sight. */
  const stick = element => {
    const row = element.querySelector("table.dataframe")?.tBodies[0]?.rows[0];
    const names = row?.querySelectorAll("th") || [];
    const stuck = phone.matches && wide(element) && names.length === 1 && names[0].offsetWidth < element.clientWidth / 2;
    element.classList.toggle("d2l-stuck", stuck);
  };

  const watched = new WeakSet();
  const reachable = element => {
    element.classList.remove("d2l-wider");
    if (element.matches("pre")) { wrap(element); shrink(element); }
    if (element.matches(".text_html, .pst-scrollable-table-container")) tighten(element);
    if (element.matches(".text_html")) stick(element);
    if (element.matches(".pst-scrollable-table-container") && wide(element))
      element.classList.add("d2l-wider");      // its columns get room
    hint(element);
    if (!wide(element)) {
      if (element.matches("span.math"))        // it was wider before MathJax or its letters were there
        for (const name of ["tabindex", "role", "aria-label"]) element.removeAttribute(name);
      return;
    }
    if (!watched.has(element)) {
      watched.add(element);
      element.addEventListener("scroll", () => hint(element), { passive: true });
    }
    if (element.tabIndex !== 0) element.tabIndex = 0;
    if (!element.hasAttribute("role")) element.setAttribute("role", "group");
    if (!element.hasAttribute("aria-label"))
      element.setAttribute("aria-label", document.documentElement.lang === "ko" ? "옆으로 넘겨 보기" : "Scrolls sideways");
  };

  /* A formula that is a little too wide is set smaller rather than scrolled; one that would become
     much smaller first leaves the room beside it, its number stands below, and then several in one
     line stand under each other. */
  const LEAST = 0.6, ENOUGH = 0.9;
  const fitted = new Map();      // formula's line -> the width that it was fitted to
  const own = new WeakMap();     // formula -> the size that MathJax gave it
  const fit = element => {
    const formula = element.querySelector(":scope > mjx-container");
    if (!formula) return;
    fitted.set(element, element.clientWidth);
    if (!own.has(formula)) own.set(formula, formula.style.fontSize);
    formula.style.fontSize = own.get(formula);
    element.classList.remove("d2l-below", "d2l-lines");
    let over = element.scrollWidth - element.clientWidth;
    if (over <= 0) return hint(element);
    const now = parseFloat(getComputedStyle(formula).fontSize), wide = formula.scrollWidth;
    for (const layout of ["d2l-below", "d2l-lines"]) {
      if ((wide - over) / wide >= ENOUGH) break;
      element.classList.add(layout);
      over = element.scrollWidth - element.clientWidth;
    }
    if (over > 0) {
      const long = formula.scrollWidth;
      formula.style.fontSize = `${now * Math.max(LEAST, (long - over - 2) / long)}px`;
    }
    reachable(element);
  };

  /* A formula within a sentence that is longer than its line, likewise. */
  const fitInline = element => {
    const formula = element.querySelector(":scope > mjx-container");
    const block = element.closest("p, li, dd");
    if (!formula || !block || !block.clientWidth || block.closest("table")) return;   // a cell has its width
    if (!own.has(formula)) own.set(formula, formula.style.fontSize);
    formula.style.fontSize = own.get(formula);
    const room = block.clientWidth - parseFloat(getComputedStyle(block).fontSize);
    const wide = formula.getBoundingClientRect().width;
    if (wide > room) {
      const now = parseFloat(getComputedStyle(formula).fontSize);
      formula.style.fontSize = `${now * Math.max(LEAST, room / wide)}px`;
    }
    const held = element.closest(".d2l-joined");   // with the word behind it, while a line has room
    held?.classList.remove("d2l-long");
    held?.classList.toggle("d2l-long", held.getBoundingClientRect().width > block.clientWidth);
  };
  const around = new ResizeObserver(all => all.forEach(({ target }) =>
    target.querySelectorAll(":scope span.math").forEach(fitInline)));

  /* Also what is unfolded later, when the theme has counted it among what does not scroll. */
  const resized = new ResizeObserver(all => all.forEach(({ target }) => {
    if (fitted.has(target) && fitted.get(target) !== target.clientWidth) fit(target);
    reachable(target);
  }));

  /* Once MathJax has set them, in its own letters. */
  const fitAll = async () => {
    await window.MathJax?.startup?.promise;
    await document.fonts.ready;
    document.querySelectorAll(".bd-article div.math").forEach(fit);
    document.querySelectorAll(".bd-article span.math").forEach(reachable);
    new Set([...document.querySelectorAll(".bd-article span.math")].map(one => one.closest("p, li, dd")))
      .forEach(block => block && around.observe(block));
    setTimeout(() => settling.disconnect(), 2000);
  };

  /* Formulas, tables and letters that come later move what is below them: the section that was asked
     for stays in its place until they are there, or until the reader goes elsewhere. */
  const settling = new ResizeObserver(() => target()?.scrollIntoView({ behavior: "instant" }));
  const stay = () => {
    const article = document.querySelector(".bd-article");
    if (!article || performance.getEntriesByType("navigation")[0]?.type !== "navigate") return;   // back: where it was
    settling.observe(article);
    for (const event of ["wheel", "touchstart", "keydown", "pointerdown", "hashchange"])
      window.addEventListener(event, () => settling.disconnect(), { once: true, passive: true, capture: true });
  };

  /* A name of the library that stands on another page than it did: its address leads there. */
  const follow = () => {
    const name = asked().replace(/^module-/, ""), plain = one => one.replace(/\W|_/g, "-");
    const homes = document.querySelector("script.d2l-homes");
    if (!homes || !/^d2lrec\W/.test(name) || target()) return;
    const modules = Object.entries(JSON.parse(homes.textContent))
      .filter(([module]) => `${plain(name)}-`.startsWith(`${plain(module)}-`))
      .sort(([a], [b]) => b.length - a.length);
    const page = modules.length && `${modules[0][1]}.html`;
    if (page && !window.location.pathname.endsWith(`/${page}`)) window.location.replace(page + window.location.hash);
  };

  /* What the copy button shows once it is pressed is said as well. */
  const tellCopied = () => {
    const region = document.createElement("p");
    region.className = "visually-hidden";
    region.setAttribute("role", "status");
    document.body.append(region);
    document.addEventListener("click", event => {
      const button = event.target.closest(".copybtn");
      if (!button) return;
      region.textContent = "";
      setTimeout(() => { if (button.matches(".success")) region.textContent = button.dataset.tooltip; }, 200);
    });
  };

  const begin = () => {
    follow();
    window.addEventListener("hashchange", follow);
    stay();
    tellCopied();
    document.querySelectorAll("[data-d2l-click]").forEach(button =>
      button.addEventListener("click", () => {
        if (button.dataset.d2lClick === "print") window.print();
        else if (window.toggleFullScreen) window.toggleFullScreen();
      }));
    document.querySelectorAll("a.language-switch").forEach(keepSection);
    document.querySelectorAll(".search-button__wrapper").forEach(modal);
    document.querySelectorAll(".sortable table, table.sortable").forEach(sortable);
    document
      .querySelectorAll(".bd-article pre, .bd-article .cell_output, .bd-article .text_html, .bd-article .pst-scrollable-table-container, .bd-article .math, .d2l-plot")
      .forEach(element => resized.observe(element));
    if (document.readyState === "complete") fitAll();
    else window.addEventListener("load", fitAll);
  };
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", begin);
  else begin();
})();
