/* A logit taken apart: two rows of a factorization machine, their terms as bars that add up. */
import { bars, choice, dot, element, finder, live, number, percent, report, sigmoid, signed, unpacked } from './helpers.js';

/* A row's terms: { bias, weights: [F], pairs: [{ f, g, value }], logit }. `rows` are places in the
   arrays of weights and vectors. */
export function terms(bias, weights, vectors, rows) {
  const own = rows.map(row => weights[row]), pairs = [];
  let logit = bias + own.reduce((sum, value) => sum + value, 0);
  for (let f = 0; f < rows.length; f += 1)
    for (let g = f + 1; g < rows.length; g += 1) {
      const value = dot(vectors[rows[f]], vectors[rows[g]]);
      pairs.push({ f, g, value });
      logit += value;
    }
  return { bias, weights: own, pairs, logit };
}

export function start(box, data, say) {
  const weights = unpacked(data.weights), vectors = unpacked(data.vectors);
  const offsets = [];
  data.values.reduce((sum, values) => (offsets.push(sum), sum + values.length), 0);
  const chosen = data.start.map(row => [...row]);
  const named = new Set(data.names), tell = text => named.has(text) ? say(text) : text;
  const field = f => {
    const key = `field.${data.fields[f]}`, told = say(key);
    return told === key ? tell(data.fields[f]) : told;
  };
  const value = (f, i) => data.values[f][i] === null ? say('unknown') : tell(data.values[f][i]);
  const isOwn = f => data.own.includes(f);
  const leader = data.own[0];
  const shared = data.fields.map((_, f) => f).filter(f => !isOwn(f));
  const follow = f => data.follow[f];
  const led = new Set(Object.values(data.follow).flatMap(one => one.fields));
  const announce = live(box);

  const controls = [new Map(), new Map()];     // column -> field -> control
  const set = (columns, f, i) => {
    const next = follow(f) && follow(f).values[i];
    for (const c of columns) {
      chosen[c][f] = i;
      if (next) follow(f).fields.forEach((g, k) => { chosen[c][g] = next[k]; });
    }
    for (const c of [0, 1])
      for (const [g, control] of controls[c]) control.value = chosen[c][g];
    draw();
  };
  const control = (columns, f, label) => {
    const choices = data.values[f].map((_, i) => value(f, i));
    const made = choices.length > 30
      ? finder({ label, choices, value: chosen[columns[0]][f], none: say('nothing'), change: i => set(columns, f, i) })
      : choice({ label, choices, value: chosen[columns[0]][f], change: i => set(columns, f, i) });
    for (const c of columns) controls[c].set(f, made);
    return made.node;
  };
  const big = f => !led.has(f) && data.values[f].length > 30;
  const folded = (columns, fields, title) => fields.length
    ? element('details', { class: 'd2i-fold' }, element('summary', {}, title),
      element('div', { class: 'd2i-small-columns' }, fields.map(f => control(columns, f, field(f)))))
    : null;

  const columns = [0, 1].map(c => {
    const node = element('div', { class: 'd2i-column', role: 'group', 'aria-label': say('row', { number: c + 1 }) });
    const result = element('p', {}), list = element('div', {});
    node.append(control([c], leader, `${field(leader)} ${'AB'[c]}`),
      ...[folded([c], data.own.slice(1), say('follow', { own: field(leader) }))].filter(Boolean), result, list);
    return { node, result, list };
  });
  const every = element('div', { class: 'd2i-columns' });
  const details = element('details', { class: 'd2i-fold', ontoggle: () => draw() },
    element('summary', {}, say('every', { weights: data.fields.length, pairs: data.fields.length * (data.fields.length - 1) / 2 })), every);
  const sharedBig = shared.filter(big), sharedSmall = shared.filter(f => !big(f));
  box.append(
    element('p', { class: 'd2i-head' }, say('title')),
    element('div', { class: 'd2i-columns' }, sharedBig.map(f => control([0, 1], f, field(f)))),
    ...[folded([0, 1], sharedSmall, say('shared'))].filter(Boolean),
    element('div', { class: 'd2i-columns' }, columns.map(column => column.node)),
    details);

  const pairName = ({ f, g }) => `${field(f)} × ${field(g)}`;
  function draw() {
    const found = chosen.map(row => terms(data.bias, weights, vectors, row.map((i, f) => offsets[f] + i)));
    const sum = list => list.reduce((total, one) => total + one, 0);
    const grouped = found.map(one => {
      const of = test => sum(one.pairs.filter(pair => test(isOwn(pair.f) + isOwn(pair.g))).map(pair => pair.value));
      const own = field(leader);
      return [
        { label: say('bias'), value: one.bias },
        { label: say('ownWeights', { own }), value: sum(one.weights.filter((_, f) => isOwn(f))) },
        { label: say('otherWeights'), value: sum(one.weights.filter((_, f) => !isOwn(f))) },
        ...(data.own.length > 1 ? [{ label: say('ownPairs', { own }), value: of(count => count === 2) }] : []),
        ...(shared.length > 1 ? [{ label: say('otherPairs'), value: of(count => count === 0) }] : []),
        ...(shared.length ? [{ label: say('between', { own }), value: of(count => count === 1), kind: 'mark' }] : []),
      ];
    });
    const piled = rows => {
      let at = 0;
      const made = rows.map(row => { const next = { ...row, from: at }; at += row.value; return next; });
      return [...made, { label: say('logit'), value: at, from: 0, kind: 'total' }];
    };
    const piles = grouped.map(piled);
    const ends = piles.flat().flatMap(row => [row.from, row.from + row.value]);
    const extent = [Math.min(0, ...ends), Math.max(0, ...ends)];
    columns.forEach((column, c) => {
      const logit = found[c].logit;
      column.result.replaceChildren(
        element('span', { class: 'd2i-big' }, percent(sigmoid(logit))), ' ',
        element('span', { class: 'd2i-quiet' }, say('probability', { logit: signed(logit) })));
      column.list.replaceChildren(bars({ rows: piles[c], extent }));
    });
    if (details.open) {
      const order = [
        ...found[0].weights.map((_, f) => ({ label: field(f), at: one => one.weights[f] })),
        ...found[0].pairs.map((pair, n) => ({ label: pairName(pair), at: one => one.pairs[n].value })),
      ].sort((one, other) => Math.max(...found.map(x => Math.abs(other.at(x)))) - Math.max(...found.map(x => Math.abs(one.at(x)))));
      const all = found.map(one => piled([{ label: say('bias'), value: one.bias },
        ...order.map(entry => ({ label: entry.label, value: entry.at(one) }))]));
      const far = all.flat().flatMap(row => [row.from, row.from + row.value]);
      every.replaceChildren(...all.map((rows, c) => element('div', {},
        element('p', { class: 'd2i-head' }, `${field(leader)} ${'AB'[c]}: ${value(leader, chosen[c][leader])}`),
        element('div', { class: 'd2i-scroll', tabindex: '0', role: 'group', 'aria-label': say('everyOf', { name: 'AB'[c] }) },
          bars({ rows, extent: [Math.min(0, ...far), Math.max(0, ...far)], text: x => signed(x, 3) })))));
    }
    announce(say('answer', { a: percent(sigmoid(found[0].logit)), b: percent(sigmoid(found[1].logit)) }));
    report(box, { logits: found.map(one => one.logit), ids: chosen.map(row => row.map((i, f) => offsets[f] + i)),
      bias: data.bias, weights: found.map(one => sum(one.weights)), pairs: found.map(one => sum(one.pairs.map(pair => pair.value))),
      groups: grouped.map(rows => rows.map(row => row.value)) });
  }
  draw();
}
