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

/* A sentence that a screen reader says when it has stood still for a moment. */
export function live(box) {
  const region = element('p', { class: 'd2i-live-region', role: 'status', 'aria-live': 'polite' });
  let waiting = 0;
  box.append(region);
  return text => {
    clearTimeout(waiting);
    waiting = setTimeout(() => { if (region.textContent !== text) region.textContent = text; }, 350);
  };
}

/* --- controls: each returns { node, get value, set value } and calls change(value) */

/* options: { label, min, max, step, value, text: value => what is shown, change } */
export function slider({ label, min, max, step, value, text = String, change }) {
  const id = unique('slider');
  const shown = element('output', { class: 'd2i-number', for: id });
  const input = element('input', { type: 'range', id, min, max, step, value });
  const tell = () => {
    const said = text(Number(input.value));
    shown.textContent = said;
    input.setAttribute('aria-valuetext', said);
  };
  input.addEventListener('input', () => { tell(); change(Number(input.value)); });
  tell();
  return {
    node: element('div', { class: 'd2i-slider' }, element('label', { for: id }, label), shown, input),
    input,
    get value() { return Number(input.value); },
    set value(given) { input.value = given; tell(); },
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

/* A field that finds one of many by the letters in it: a combobox with a list below.
   options: { label, choices: [text, ...], value, change, none: what it says where nothing is found,
   most: entries of the list at most, notes: [text, ...] beside the choices, which find them too } */
export function finder({ label, choices, value = null, change, none = '', most = 8, notes = [] }) {
  const id = unique('finder');
  const list = element('ul', { class: 'd2i-list', role: 'listbox', id: `${id}-list`, 'aria-label': label, hidden: true });
  const input = element('input', {
    type: 'text', id, role: 'combobox', autocomplete: 'off', spellcheck: 'false',
    'aria-expanded': 'false', 'aria-controls': `${id}-list`, 'aria-autocomplete': 'list',
  });
  const folded = choices.map(text => fold(String(text))), noted = notes.map(text => fold(text));
  let found = [], at = -1, current = value;
  const settle = () => { input.value = current === null ? '' : String(choices[current]); };
  const close = () => {
    list.hidden = true;
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
    const wanted = fold(input.value);
    const first = [], later = [], last = [];
    for (let i = 0; i < folded.length && first.length < most; i += 1) {
      const place = folded[i].indexOf(wanted);
      if (place === 0) first.push(i);
      else if (place > 0 && later.length < most) later.push(i);
      else if (place < 0 && last.length < most && (noted[i] || '').includes(wanted)) last.push(i);
    }
    found = [...first, ...later, ...last].slice(0, most);
    list.replaceChildren(...found.map((index, i) => element('li', {
      role: 'option', id: `${id}-${i}`, 'aria-selected': 'false',
      onpointerdown: event => { event.preventDefault(); take(index); },
    }, String(choices[index]), notes[index] ? element('span', { class: 'd2i-note' }, notes[index]) : null)));
    if (!found.length && none) list.append(element('li', { 'aria-disabled': 'true', role: 'option', 'aria-selected': 'false', id: `${id}-none` }, none));
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
    node: element('div', { class: 'd2i-choice d2i-finder' }, element('label', { for: id }, label), input, list),
    input,
    get value() { return current; },
    set value(given) { current = given; settle(); },
  };
}

/* What is told beside each of `count` things that are in groups { name: [place, ...] }, and their years. */
export function notes(count, groups, say, years = []) {
  const kinds = Array.from({ length: count }, () => []);
  for (const [name, places] of Object.entries(groups)) {
    const key = `group.${name}`, said = say(key);
    for (const i of places) kinds[i].push(said === key ? name : said);
  }
  return kinds.map((own, i) => [years[i], own.join(', ')].filter(part => part).join(' · '));
}

function fold(text) {
  return text.normalize('NFC').toLowerCase().trim();
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
