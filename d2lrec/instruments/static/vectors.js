/* Two vectors to drag: a user's and a film's, in the plane that they span. */
import { bars, dot, element, finder, button, frame, live, norm, number, report, signed, slider, svg, unpacked } from './helpers.js';

/* Length, other length and angle of two vectors. */
export function shape(p, q) {
  const a = norm(p), b = norm(q);
  return { p: a, q: b, angle: a && b ? Math.acos(Math.max(-1, Math.min(1, dot(p, q) / (a * b)))) : 0 };
}

/* Two directions at right angles: p's own, and the part of q that is across it. */
export function plane(p, q) {
  const unit = one => { const length = norm(one); return Array.from(one, x => length ? x / length : 0); };
  const e1 = norm(p) ? unit(p) : Array.from(p, (_, k) => Number(k === 0));
  let across = Array.from(q, (x, k) => x - dot(q, e1) * e1[k]);
  if (norm(across) < 1e-9)     // along each other: any direction will do
    across = Array.from(p, (_, k) => Number(k === e1.findIndex(x => Math.abs(x) < 0.8)) - e1[e1.findIndex(x => Math.abs(x) < 0.8)] * e1[k]);
  return [e1, unit(across)];
}

const TURN = Math.PI / 180;
const FIRST = 20 * TURN;        // where the user's vector points at first

export function start(box, data, say) {
  const P = unpacked(data.P), Q = unpacked(data.Q);
  let [user, item] = data.start, e1, e2, reach = 1;
  const tips = { p: [1, 0], q: [0, 1] };         // in the drawing
  const announce = live(box);

  const users = finder({ label: say('user'), choices: data.users, value: user, none: say('nothing'), change: i => { user = i; take(); } });
  const films = finder({ label: say('item'), choices: data.titles, value: item, none: say('nothing'), change: i => { item = i; take(); } });
  const stage = element('div', { class: 'd2i-stage' });
  const length = (name, label) => slider({ label, min: 0, max: 3, step: 0.01, value: 1, text: x => number(x), change: x => polar(name, x, null) });
  const lengths = { p: length('p', say('lengthUser')), q: length('q', say('lengthItem')) };
  const turn = slider({ label: say('angle'), min: 0, max: 180, step: 1, value: 0, text: x => `${number(x, 1)}°`, change: x => polar('q', null, x) });
  const told = element('p', { class: 'd2i-sum' });
  const sum = element('div', {}), list = element('ol', { class: 'd2i-names' }), crowd = element('div', {});
  box.append(
    element('p', { class: 'd2i-head' }, say('title')),
    element('div', { class: 'd2i-columns' }, users.node, films.node),
    element('div', { class: 'd2i-columns' },
      element('div', {}, stage, element('p', { class: 'd2i-quiet' }, say('how'))),
      element('div', {}, lengths.p.node, lengths.q.node, turn.node, told, button(say('reset'), () => take()))),
    element('div', { class: 'd2i-columns' },
      element('div', {}, element('p', { class: 'd2i-head' }, say('prediction')), sum, crowd),
      element('div', {}, element('p', { class: 'd2i-head' }, say('list')), list)));

  function take() {
    const p = P[user], q = Q[item], now = shape(p, q);
    [e1, e2] = plane(p, q);
    tips.p = [now.p * Math.cos(FIRST), now.p * Math.sin(FIRST)];
    tips.q = [now.q * Math.cos(FIRST + now.angle), now.q * Math.sin(FIRST + now.angle)];
    reach = Math.max(0.5, 1.7 * Math.max(now.p, now.q));
    lengths.p.input.max = lengths.q.input.max = reach.toFixed(2);
    build();
    draw();
  }

  function polar(name, long, degrees) {
    const [x, y] = tips[name];
    const towards = degrees === null ? Math.atan2(y, x)
      : Math.atan2(tips.p[1], tips.p[0]) + degrees * TURN * (cross() < 0 ? -1 : 1);
    const size = long === null ? Math.hypot(x, y) : long;
    // a vector of no length keeps its direction by a length that is as good as none
    tips[name] = [Math.max(size, 1e-6) * Math.cos(towards), Math.max(size, 1e-6) * Math.sin(towards)];
    draw();
  }
  const cross = () => tips.p[0] * tips.q[1] - tips.p[1] * tips.q[0];

  let chart, shadow, foot, lines, handles, arc;
  function build() {
    const step = reach < 1.5 ? 0.5 : Math.max(1, Math.round(reach / 3)), count = Math.floor(reach / step);
    const ticks = Array.from({ length: 2 * count + 1 }, (_, i) => (i - count) * step);
    chart = frame({ width: 320, height: 320, x: [-reach, reach], y: [-reach, reach], xTicks: ticks, yTicks: ticks,
      margin: [8, 8, 24, 30], label: say('drawing'), text: x => number(x, 1) });
    chart.node.setAttribute('role', 'group');
    chart.node.classList.add('d2i-drag');
    shadow = svg('line', { class: 'd2i-shadow' });
    foot = svg('line', { class: 'd2i-foot' });
    arc = svg('path', { class: 'd2i-arc', fill: 'none' });
    lines = {}; handles = {};
    chart.layer.append(foot, shadow, arc);
    for (const name of ['p', 'q']) {
      lines[name] = svg('line', { class: `d2i-arrow d2i-${name}` });
      handles[name] = svg('g', { class: `d2i-handle d2i-${name}`, tabindex: '0', role: 'slider', 'aria-label': say(name === 'p' ? 'handleUser' : 'handleItem'),
        'aria-valuemin': 0, 'aria-valuemax': reach.toFixed(2) },
        svg('circle', { r: 22, class: 'd2i-touch' }), svg('circle', { r: 9 }),
        svg('text', {}, say(name === 'p' ? 'user' : 'item')));
      const handle = handles[name];
      handle.addEventListener('pointerdown', event => { event.preventDefault(); handle.setPointerCapture(event.pointerId); handle.focus(); handle.dataset.held = ''; });
      handle.addEventListener('touchstart', event => event.preventDefault(), { passive: false });   // the page stays where it is
      handle.addEventListener('pointermove', event => { if ('held' in handle.dataset) move(name, chart.pointer(event)); });
      for (const end of ['pointerup', 'pointercancel']) handle.addEventListener(end, () => { delete handle.dataset.held; });
      handle.addEventListener('keydown', event => {
        const step = (event.shiftKey ? 0.1 : 0.02) * reach;
        const by = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, step], ArrowDown: [0, -step] }[event.key];
        if (!by) return;
        event.preventDefault();
        move(name, [tips[name][0] + by[0], tips[name][1] + by[1]]);
      });
    }
    chart.layer.append(lines.p, lines.q, handles.p, handles.q);
    stage.replaceChildren(chart.node);
  }

  function move(name, [x, y]) {
    const keep = value => Math.max(-reach, Math.min(reach, value));
    tips[name] = [keep(x), keep(y)];
    draw();
  }

  function draw() {
    const { p, q } = tips, now = shape(p, q), product = dot(p, q);
    const along = now.p ? product / now.p : 0, unit = now.p ? [p[0] / now.p, p[1] / now.p] : [1, 0];
    const set = (line, from, to) => { line.setAttribute('x1', chart.x(from[0])); line.setAttribute('y1', chart.y(from[1])); line.setAttribute('x2', chart.x(to[0])); line.setAttribute('y2', chart.y(to[1])); };
    const end = [along * unit[0], along * unit[1]];
    set(shadow, [0, 0], end);
    set(foot, end, q);
    shadow.classList.toggle('d2i-negative', product < 0);
    const a0 = Math.atan2(p[1], p[0]), way = cross() < 0 ? -1 : 1, r = 0.22 * Math.min(now.p, now.q, reach);
    arc.setAttribute('d', Array.from({ length: 25 }, (_, i) => {
      const a = a0 + way * now.angle * i / 24;
      return `${i ? 'L' : 'M'}${chart.x(r * Math.cos(a)).toFixed(1)} ${chart.y(r * Math.sin(a)).toFixed(1)}`;
    }).join(''));
    const apart = Math.hypot(p[0] - q[0], p[1] - q[1]) > 0.5 * reach;
    for (const name of ['p', 'q']) {
      set(lines[name], [0, 0], tips[name]);
      handles[name].setAttribute('transform', `translate(${chart.x(tips[name][0])} ${chart.y(tips[name][1])})`);
      const [x, y] = tips[name], side = (x < 0 ? -1 : 1) * (Math.abs(x) > 0.6 * reach ? -1 : 1), word = handles[name].querySelector('text');
      word.setAttribute('x', 14 * side);       // beyond the tip, off the line, but within the drawing
      word.setAttribute('y', (apart ? y >= 0 : name === 'p') ? -10 : 20);
      word.setAttribute('text-anchor', side < 0 ? 'end' : 'start');
      handles[name].setAttribute('aria-valuenow', now[name].toFixed(2));
      handles[name].setAttribute('aria-valuetext', say('at', { length: number(now[name]), angle: number(now.angle / TURN, 0), product: signed(product) }));
      lengths[name].value = now[name].toFixed(2);
    }
    turn.value = now.angle / TURN;
    told.replaceChildren(`${number(now.p)} × ${number(now.q)} × ${number(Math.cos(now.angle), 3)} = `,
      element('span', { class: 'd2i-big' }, signed(product)), element('span', { class: 'd2i-quiet' }, ` ${say('product')}`));

    // the vectors as the model would have them, in all their dimensions
    const first = Math.atan2(Math.sin(FIRST), Math.cos(FIRST));
    const whole = ([x, y]) => {
      const u = x * Math.cos(first) + y * Math.sin(first), v = -x * Math.sin(first) + y * Math.cos(first);
      return e1.map((one, k) => u * one + v * e2[k]);
    };
    const vp = whole(p), vq = whole(q);
    const biases = data.userBias[user] + data.itemBias[item], rating = data.mean + biases + product;
    sum.replaceChildren(bars({ extent: [Math.min(0, rating), Math.max(5.2, rating, data.mean + biases)], rows: [
      { label: say('mean'), value: data.mean },
      { label: say('biases'), value: biases, from: data.mean },
      { label: say('product'), value: product, from: data.mean + biases, kind: 'mark' },
      { label: say('stars'), value: rating, kind: 'total' }] }));
    const others = P.map((one, u) => data.mean + data.userBias[u] + data.itemBias[item] + dot(u === user ? vp : one, vq)).sort((x, y) => x - y);
    const at = share => others[Math.min(others.length - 1, Math.floor(share * others.length))];
    crowd.replaceChildren(element('p', {}, say('crowd', { count: others.length.toLocaleString('en-US'), low: number(at(0.1), 1), middle: number(at(0.5), 1), high: number(at(0.9), 1) })));
    const scores = Q.map((one, i) => data.mean + data.userBias[user] + data.itemBias[i] + dot(vp, i === item ? vq : one));
    const best = scores.map((_, i) => i).sort((i, j) => scores[j] - scores[i]).slice(0, 8);
    list.replaceChildren(...best.map(i => element('li', i === item ? { class: 'd2i-here' } : {},
      element('span', {}, data.titles[i]), ' ', element('span', { class: 'd2i-number d2i-quiet' }, number(scores[i], 1)))));
    announce(say('answer', { product: signed(product), angle: number(now.angle / TURN, 0), stars: number(rating, 1) }));
    report(box, { product, angle: now.angle / TURN, p: now.p, q: now.q, rating, user, item, vp, vq,
      crowd: [at(0.1), at(0.5), at(0.9)], best, scores: best.map(i => scores[i]) });
  }
  take();
}
