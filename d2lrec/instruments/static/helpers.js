/* What the instruments share: elements, sliders, bars, drawings, numbers, and the way into a page.
   Text from data is always text here, never markup. */

/* --- into the page */

/* Starts the instrument in every output of its name that has not begun yet. */
export function mount(name, start) {
  const begin = () => {
    const outputs = document.querySelectorAll(`.d2lrec-instrument[data-instrument="${name}"]:not([data-ready])`);
    const own = script && script.closest('.d2lrec-instrument');
    for (const root of new Set(own && own.dataset.instrument === name ? [own, ...outputs] : outputs)) open(root, start);
  };
  const script = document.currentScript;
  if (document.readyState === 'loading' && !(script && script.closest('.d2lrec-instrument')))
    document.addEventListener('DOMContentLoaded', begin);
  else begin();
}

function open(root, start) {
  if (root.dataset.ready !== undefined) return;
  const { data, words } = JSON.parse(root.querySelector('script[type="application/json"]').textContent);
  const page = root.dataset.language || document.documentElement.lang;
  const language = words[page] ? page : 'en' in words ? 'en' : Object.keys(words)[0];
  const said = words[language];
  const say = (key, values = {}) =>
    (said[key] === undefined ? key : said[key]).replace(/\{(\w+)\}/g, (whole, name) =>
      name in values ? String(values[name]) : whole);
  const box = element('section', { class: 'd2i-live', lang: language, 'aria-label': say('title') });
  try {
    start(box, data, say);
  } catch (error) {
    console.error(error);   // what stands in its place stays
    return;
  }
  root.append(box);
  root.dataset.ready = '';
  box.dispatchEvent(new CustomEvent('d2i-shown'));
}

/* Notes an instrument's answer, in numbers, on its box: who tests it reads it there. */
export function report(box, answer) {
  box.dataset.answer = JSON.stringify(answer);
}

/* --- elements */

function fill(node, properties, children) {
  for (const [name, value] of Object.entries(properties)) {
    if (name.startsWith('on')) node.addEventListener(name.slice(2), value);
    else if (name === 'style') Object.assign(node.style, value);
    else if (value !== null && value !== undefined && value !== false)
      node.setAttribute(name, value === true ? '' : value);
  }
  if (node.matches('a, button, input, select, summary, [tabindex]'))   // JupyterLab leaves it its keys
    node.setAttribute('data-lm-suppress-shortcuts', '');
  node.append(...children.flat().filter(child => child !== null && child !== undefined && child !== ''));
  return node;
}

/* An element: element('p', { class: 'x', onclick: f }, 'text', other). Strings become text. */
export function element(tag, properties = {}, ...children) {
  return fill(document.createElement(tag), properties, children);
}

/* The same of SVG. */
export function svg(tag, properties = {}, ...children) {
  return fill(document.createElementNS('http://www.w3.org/2000/svg', tag), properties, children);
}

let counted = 0;
export function unique(stem = 'd2i') {
  counted += 1;
  return `${stem}-${counted}-${Math.random().toString(36).slice(2, 7)}`;
}

/* A sentence that a screen reader says when it has stood still for a moment; not before somebody
   has used the instrument, as a page that has just opened would speak of all that it holds. */
export function live(box) {
  const region = element('p', { class: 'd2i-live-region', role: 'status', 'aria-live': 'polite' });
  let waiting = 0, used = false;
  for (const event of ['focusin', 'pointerdown', 'keydown']) box.addEventListener(event, () => { used = true; }, { once: true, capture: true });
  box.append(region);
  return text => {
    if (!used) return;
    clearTimeout(waiting);
    waiting = setTimeout(() => { if (region.textContent !== text) region.textContent = text; }, 350);
  };
}

/* --- controls: each returns { node, get value, set value } and calls change(value) */

/* options: { label, min, max, step, value, text: value => what is shown, change } */
export function slider({ label, min, max, step, value, text = String, change }) {
  const id = unique('slider');
  const shown = element('output', { class: 'd2i-number', for: id, 'aria-live': 'off' });   // the slider says it
  const input = element('input', { type: 'range', id, min, max, step, value });
  const tell = x => {       // a value given by code is told as it is, also between two steps
    const said = text(x);
    shown.textContent = said;
    input.setAttribute('aria-valuetext', said);
  };
  input.addEventListener('input', () => { tell(Number(input.value)); change(Number(input.value)); });
  tell(Number(value));
  return {
    node: element('div', { class: 'd2i-slider' }, element('label', { for: id }, label), shown, input),
    input,
    get value() { return Number(input.value); },
    set value(given) { input.value = given; tell(Number(given)); },
  };
}

/* options: { label, choices: [text, ...], value: index, change } */
export function choice({ label, choices, value = 0, change }) {
  const id = unique('choice');
  const input = element('select', { id },
    choices.map((text, index) => element('option', { value: index, selected: index === value }, String(text))));
  input.addEventListener('change', () => change(Number(input.value)));
  return {
    node: element('div', { class: 'd2i-choice' }, element('label', { for: id }, label), input),
    input,
    get value() { return Number(input.value); },
    set value(given) { input.value = String(given); },
  };
}

/* A field that finds one of many by the words in it: a combobox with a list below.
   options: { label, choices: [text, ...], value, change, none: what it says where nothing is found,
   most: entries of the list at most, notes: [text, ...] beside the choices,
   sought: [text, ...] that find them too } */
export function finder({ label, choices, value = null, change, none = '', most = 8, notes = [], sought = notes }) {
  const id = unique('finder');
  const list = element('ul', { class: 'd2i-list', role: 'listbox', id: `${id}-list`, 'aria-label': label, hidden: true });
  const input = element('input', {
    type: 'text', id, role: 'combobox', autocomplete: 'off', spellcheck: 'false',
    'aria-expanded': 'false', 'aria-controls': `${id}-list`, 'aria-autocomplete': 'list',
  });
  const status = element('span', { class: 'd2i-live-region', role: 'status' });
  const find = matcher(choices, sought);
  list.addEventListener('mousedown', event => event.preventDefault());   // the field keeps the focus; a finger may scroll
  let found = [], at = -1, current = value;
  const settle = () => { input.value = current === null ? '' : String(choices[current]); };
  const close = () => {
    list.hidden = true;
    status.textContent = '';
    input.setAttribute('aria-expanded', 'false');
    input.removeAttribute('aria-activedescendant');
    at = -1;
  };
  const take = index => { current = index; settle(); close(); change(index); };
  const point = next => {
    at = next;
    [...list.children].forEach((entry, i) => entry.setAttribute('aria-selected', i === at));
    if (at >= 0) {
      input.setAttribute('aria-activedescendant', list.children[at].id);
      list.children[at].scrollIntoView({ block: 'nearest' });
    }
  };
  const search = () => {
    found = find(input.value).slice(0, most);
    list.replaceChildren(...found.map((index, i) => element('li', {
      role: 'option', id: `${id}-${i}`, 'aria-selected': 'false', onclick: () => take(index),
    }, String(choices[index]), beside(notes[index]))));
    if (!found.length && none) list.append(element('li', { 'aria-disabled': 'true', role: 'option', 'aria-selected': 'false', id: `${id}-none` }, none));
    status.textContent = found.length ? '' : none;
    list.hidden = false;
    input.setAttribute('aria-expanded', 'true');
    at = -1;
    input.removeAttribute('aria-activedescendant');
  };
  input.addEventListener('input', search);
  input.addEventListener('focus', () => input.select());
  input.addEventListener('click', () => { if (list.hidden) { input.select(); search(); } });
  input.addEventListener('blur', () => { close(); settle(); });
  input.addEventListener('keydown', event => {
    if (event.isComposing || event.keyCode === 229) return;   // the key is for the letters that are being put together
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      event.preventDefault();
      if (list.hidden) search();
      if (!found.length) return;
      const step = event.key === 'ArrowDown' ? 1 : -1;
      point((at + step + found.length + (at < 0 && step < 0 ? 1 : 0)) % found.length);
    } else if (event.key === 'Enter' && !list.hidden && found.length) {
      event.preventDefault();
      take(found[Math.max(at, 0)]);
    } else if (event.key === 'Escape' && !list.hidden) {
      event.preventDefault();
      event.stopPropagation();
      close();
      settle();
    }
  });
  settle();
  return {
    node: element('div', { class: 'd2i-choice d2i-finder' }, element('label', { for: id }, label), input, list, status),
    input,
    get value() { return current; },
    set value(given) { current = given; settle(); },
  };
}

/* A quiet note beside a name, a space before it; nothing for no text. */
export function beside(text) {
  return text ? [' ', element('span', { class: 'd2i-note' }, String(text))] : [];
}

/* What is told beside each of `count` things, of their years and their groups { name: [place, ...] },
   and what finds them: { shown: [text, ...], sought: [text, ...] }. A group is told in the page's
   language and found in each one, `names` { name: 'its names' }. */
export function notes(count, groups, say, years = [], names = {}) {
  const kinds = Array.from({ length: count }, () => []), found = kinds.map((_, i) => [years[i] || '']);
  for (const [name, places] of Object.entries(groups)) {
    const key = `group.${name}`, said = say(key), told = said === key ? name : said;
    for (const i of places) {
      kinds[i].push(told);
      found[i].push(told, name, names[name] || '');
    }
  }
  return {
    shown: kinds.map((own, i) => [years[i], own.join(', ')].filter(part => part).join(' · ')),
    sought: found.map(own => own.join(' ')),
  };
}

/* --- finding by words */

const INITIALS = 'ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ'.split('');
const VOWELS = 'ㅏ ㅐ ㅑ ㅒ ㅓ ㅔ ㅕ ㅖ ㅗ ㅗㅏ ㅗㅐ ㅗㅣ ㅛ ㅜ ㅜㅓ ㅜㅔ ㅜㅣ ㅠ ㅡ ㅡㅣ ㅣ'.split(' ');
const FINALS = 'ㄱ ㄲ ㄱㅅ ㄴ ㄴㅈ ㄴㅎ ㄷ ㄹ ㄹㄱ ㄹㅁ ㄹㅂ ㄹㅅ ㄹㅌ ㄹㅍ ㄹㅎ ㅁ ㅂ ㅂㅅ ㅅ ㅆ ㅇ ㅈ ㅊ ㅋ ㅌ ㅍ ㅎ'.split(' ');
const TYPED = new Map([[0x1100, INITIALS], [0x1161, VOWELS], [0x11a8, FINALS]].flatMap(([first, all]) =>
  all.map((letters, n) => [String.fromCharCode(first + n), letters])));
const PLAIN = { ø: 'o', æ: 'ae', œ: 'oe', ß: 'ss', ł: 'l', đ: 'd', ð: 'd', þ: 'th', ı: 'i' };   // no letter and mark

/* A text to compare: its words in small letters without marks and signs. Hangul as the letters that
   are typed for it, so that 콤, on the way to 코미, begins 코미디. */
export function fold(text) {
  return String(text).normalize('NFKD').toLowerCase()
    .replace(/[\u1100-\u11c2]/g, letter => TYPED.get(letter) || letter)
    .replace(/[øæœßłđðþı]/g, letter => PLAIN[letter])
    .replace(/[\p{M}'’ʼ]/gu, '').replace(/&/g, ' and ')
    .replace(/[^\p{L}\p{N}]+/gu, ' ').trim();
}

/* A text as what its words contain: all in one for letters that stand anywhere, and the ends of
   Hangul words, from each syllable on. */
function inside(text) {
  const ends = (String(text).normalize('NFC').match(/[가-힣]+/g) || [])
    .flatMap(word => [...word].map((_, n) => fold(word.slice(n))));
  return `${fold(text).replace(/ /g, '')} ${ends.join(' ')}`;
}

const ARTICLE = /^(.*), (the|an?|la|les?|l['’]|il|el|l[ao]s|lo|das|de[rnt]|die|het|en) *(?=\(|$)(.*)$/i;

/* The ways to write a title: as it is, without the year, its article in front. */
function spellings(title) {
  const bare = title.replace(/ *\(\d{4}\)$/, '');
  return [title, bare, bare.replace(ARTICLE, '$2 $1 $3'), bare.replace(ARTICLE, '$1 $3')].map(fold);
}

/* A function query => places of the choices that have every word of it, best first: the whole
   title, its beginning, words in this order, beginnings of words, anything. `more` are texts
   beside them that find them, too. */
export function matcher(choices, more = []) {
  const folded = () => choices.map((choice, i) => {
    const title = String(choice), beside = more[i] || '';
    const ways = spellings(title);
    return { ways, words: ` ${ways[0]}`, beside: ` ${fold(beside)}`, parts: inside(title), others: inside(beside) };
  });
  const holds = (parts, word) => /^[ㄱ-ㅣ]/.test(word) ? parts.includes(` ${word}`) : parts.includes(word);
  const far = (one, word) => one.words.includes(` ${word}`) ? 3 : one.beside.includes(` ${word}`) ? 4
    : holds(one.parts, word) ? 5 : holds(one.others, word) ? 6 : Infinity;
  let all = null;      // until somebody asks
  return query => {
    all = all || folded();
    const wanted = fold(query), words = wanted.split(' ').filter(word => word);
    const rank = one => one.ways.includes(wanted) ? 0
      : one.ways.some(way => way.startsWith(wanted)) ? 1
      : one.words.includes(` ${wanted}`) ? 2 : Math.max(...words.map(word => far(one, word)));
    return all.map((one, i) => [words.length ? rank(one) : 0, i]).filter(([place]) => place < Infinity)
      .sort((one, other) => one[0] - other[0] || one[1] - other[1]).map(([, i]) => i);
  };
}

/* A button. */
export function button(text, press, properties = {}) {
  return element('button', { type: 'button', class: 'd2i-button', onclick: press, ...properties }, text);
}

/* --- bars: numbers as lengths along one line.
   rows: [{ label, value, from: where it begins (0), kind }]; extent: [lowest, highest] of the line. */
export function bars({ rows, extent, text = value => signed(value, 2) }) {
  const ends = rows.flatMap(row => [row.from || 0, (row.from || 0) + row.value]);
  const [low, high] = extent || [Math.min(0, ...ends), Math.max(0, ...ends)];
  const span = high - low || 1, place = value => (value - low) / span * 100;
  return element('ul', { class: 'd2i-bars' }, rows.map(row => {
    const from = row.from || 0, left = Math.min(from, from + row.value);
    return element('li', { class: row.kind ? `d2i-bar d2i-${row.kind}` : 'd2i-bar' },
      element('span', { class: 'd2i-bar-label', title: row.label }, row.label),
      element('span', { class: 'd2i-bar-track', 'aria-hidden': 'true' },
        element('span', { class: 'd2i-bar-zero', style: { left: `${place(0)}%` } }),
        element('span', {
          class: row.value < 0 ? 'd2i-bar-fill d2i-down' : 'd2i-bar-fill',
          style: { left: `${place(left)}%`, width: `${Math.abs(row.value) / span * 100}%` },
        })),
      element('span', { class: 'd2i-number' }, text(row.value)));
  }));
}

/* --- drawings */

/* A frame with axes: { node, x, y, layer, pointer(event) -> [x, y] in data's units }.
   options: { width, height, x: [low, high], y: [low, high], xTicks, yTicks, xLabel, yLabel, label } */
export function frame({ width = 320, height = 240, x, y, xTicks = [], yTicks = [], xLabel = '', yLabel = '',
  label, margin = [10, 12, 38, 44], text = String }) {
  const [top, right, bottom, left] = margin;
  const toX = value => left + (value - x[0]) / (x[1] - x[0]) * (width - left - right);
  const toY = value => height - bottom - (value - y[0]) / (y[1] - y[0]) * (height - top - bottom);
  const layer = svg('g');
  const node = svg('svg', { viewBox: `0 0 ${width} ${height}`, role: 'img', 'aria-label': label, class: 'd2i-frame' },
    xTicks.map(tick => svg('line', { class: 'd2i-grid', x1: toX(tick), x2: toX(tick), y1: top, y2: height - bottom })),
    yTicks.map(tick => svg('line', { class: 'd2i-grid', x1: left, x2: width - right, y1: toY(tick), y2: toY(tick) })),
    xTicks.map(tick => svg('text', { x: toX(tick), y: height - bottom + 15, 'text-anchor': 'middle' }, text(tick))),
    yTicks.map(tick => svg('text', { x: left - 6, y: toY(tick) + 4, 'text-anchor': 'end' }, text(tick))),
    xLabel ? svg('text', { class: 'd2i-axis', x: (left + width - right) / 2, y: height - 4, 'text-anchor': 'middle' }, xLabel) : null,
    yLabel ? svg('text', { class: 'd2i-axis', transform: `translate(11 ${(top + height - bottom) / 2}) rotate(-90)`, 'text-anchor': 'middle' }, yLabel) : null,
    layer);
  return {
    node, layer, x: toX, y: toY,
    pointer(event) {
      const box = node.getBoundingClientRect();
      const px = (event.clientX - box.left) * width / box.width, py = (event.clientY - box.top) * height / box.height;
      return [x[0] + (px - left) / (width - left - right) * (x[1] - x[0]),
        y[0] + (height - bottom - py) / (height - top - bottom) * (y[1] - y[0])];
    },
  };
}

/* A path through points [[x, y], ...] of a frame. */
export function path(chart, points, properties = {}) {
  const d = points.map(([x, y], i) => `${i ? 'L' : 'M'}${chart.x(x).toFixed(1)} ${chart.y(y).toFixed(1)}`).join('');
  return svg('path', { d, fill: 'none', ...properties });
}

/* --- numbers */

/* Fixed digits, with a real minus; thousands apart. */
export function number(value, digits = 2) {
  if (!Number.isFinite(value)) return value > 0 ? '∞' : value < 0 ? '−∞' : '–';
  const text = Math.abs(value).toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits });
  return value < 0 && Number(text.replace(/,/g, '')) !== 0 ? `−${text}` : text;
}

export function signed(value, digits = 2) {
  const text = number(value, digits);
  return text.startsWith('−') || Number(text.replace(/,/g, '')) === 0 ? text : `+${text}`;
}

export function percent(value, digits = 0) {
  return `${number(100 * value, digits)}%`;
}

/* --- arithmetic */

export function sigmoid(value) {
  return value >= 0 ? 1 / (1 + Math.exp(-value)) : Math.exp(value) / (1 + Math.exp(value));
}

export function dot(one, other) {
  let sum = 0;
  for (let k = 0; k < one.length; k += 1) sum += one[k] * other[k];
  return sum;
}

export function norm(one) {
  return Math.sqrt(dot(one, one));
}

/* The array that `packed` of d2lrec.instruments made: a list of rows, or of numbers. */
export function unpacked({ shape, step, bits, base64 }) {
  const bytes = Uint8Array.from(atob(base64), letter => letter.charCodeAt(0));
  const kind = { 8: Int8Array, 16: Int16Array, 32: Float32Array }[bits];
  const flat = Float64Array.from(new kind(bytes.buffer), value => value * step);
  if (shape.length < 2) return flat;
  return Array.from({ length: shape[0] }, (_, row) => flat.subarray(row * shape[1], (row + 1) * shape[1]));
}
