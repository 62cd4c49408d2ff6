/* Will one machine do? The twin of training_needs in d2lrec/instruments/machine.py. */
import { choice, element, live, number, percent, report, slider } from './helpers.js';

const FLOAT = 4;

export function trainingNeeds({ table_rows, rows, fields, factors, optimizer, dense_gradient, batch, speed, network }, copies, hidden) {
  const [first, second] = hidden;
  const mlps = (fields * (fields - 1) / 2 + 1) * first + (first + 1) * second + second + 1;
  const multiplyAdds = fields ** 2 * (factors + first) + first * second + second;
  const table = table_rows * factors, ofField = Math.max(table_rows / fields, 1);
  const hit = ofField > 1 ? -Math.expm1(batch * Math.log1p(-1 / ofField)) : 1;
  const touched = Math.min(table_rows, fields * ofField * hit);
  const perSecond = speed / multiplyAdds, step = batch / perSecond;
  const carried = { mlps: 2 * FLOAT * mlps, pulled: 2 * FLOAT * factors * touched, whole: 2 * FLOAT * table };
  const shares = Object.fromEntries(Object.entries(carried).map(([name, bytes]) => [`${name}_share`, bytes / (network * 1e9 / 8) / step]));
  return {
    memory: FLOAT * (table + mlps) * (copies[optimizer] + Number(dense_gradient)), parameters: mlps, multiply_adds: multiplyAdds,
    rows_per_second: perSecond, seconds: rows / perSecond, touched, ...carried, ...shares,
  };
}

/* 1,234 million in few letters: 1.2e9 -> "1.2 G". */
export function short(value, unit = '') {
  const steps = [[1e15, 'P'], [1e12, 'T'], [1e9, 'G'], [1e6, 'M'], [1e3, 'k'], [1, '']];
  const [size, letter] = steps.find(([least]) => value >= least * 0.9995) || steps[5];
  const scaled = value / size;
  return `${number(scaled, scaled < 9.95 ? 1 : 0)} ${letter}${unit}`.trim();
}

export function start(box, data, say) {
  const state = { ...data.start };
  let memory = data.memory, faster = 0;
  const announce = live(box);
  const count = value => {
    const long = say('unit') === 'man' ? [[1e12, '조'], [1e8, '억'], [1e4, '만']] : [[1e12, ' trillion'], [1e9, ' billion'], [1e6, ' million'], [1e3, ' thousand']];
    const found = long.find(([least]) => value >= least * 0.9995);
    const scaled = found ? value / found[0] : value;
    return `${number(scaled, scaled < 99.95 && scaled % 1 > 0.04 ? 1 : 0)}${found ? found[1] : ''}`;
  };
  const power = (name, min, max, step = 0.02) => slider({ label: say(name), min, max, step, value: Math.log10(state[name]),
    text: x => count(10 ** x), change: x => { state[name] = 10 ** x; draw(); } });
  const pick = (name, label, values, text = String) => {
    const all = values.includes(state[name]) ? values : [...values, state[name]].sort((a, b) => a - b);
    return choice({ label, choices: all.map(text), value: all.indexOf(state[name]), change: i => { state[name] = all[i]; draw(); } });
  };
  const table = power('table_rows', 4, 12), log = power('rows', 5, 12.5);
  const fields = slider({ label: say('fields'), min: 2, max: 100, step: 1, value: state.fields, change: x => { state.fields = x; draw(); } });
  const lengths = [4, 8, 16, 32, 64, 128, 256];
  const factors = pick('factors', say('factors'), lengths);
  const optimizers = Object.keys(data.copies);
  const optimizer = choice({ label: say('optimizer'), choices: optimizers, value: optimizers.indexOf(state.optimizer), change: i => { state.optimizer = optimizers[i]; draw(); } });
  const gradient = choice({ label: say('gradient'), choices: [say('sparse'), say('dense')], value: Number(state.dense_gradient), change: i => { state.dense_gradient = i === 1; draw(); } });
  const batch = pick('batch', say('batch'), [256, 1024, 4096, 16384, 65536], x => x.toLocaleString('en-US'));
  const network = pick('network', say('network'), [1, 10, 25, 100, 400], x => `${x} Gb/s`);
  const memories = [16, 64, 256, 1024, 4096];
  const room = choice({ label: say('memory'), choices: memories.map(x => `${x.toLocaleString('en-US')} GB`), value: Math.max(0, memories.indexOf(memory)), change: i => { memory = memories[i]; draw(); } });
  const times = slider({ label: say('faster'), min: 0, max: 3, step: 0.1, value: 0, text: x => `× ${number(10 ** x, x < 1 ? 1 : 0)}`, change: x => { faster = x; draw(); } });
  const system = choice({ label: say('system'), choices: [say('own'), ...data.names.map(name => say(name))], change: i => {
    const [rows, length] = i ? data.systems[i - 1] : [data.start.table_rows, data.start.factors];
    state.table_rows = rows;
    state.factors = length;
    table.value = Math.log10(rows);
    factors.value = lengths.indexOf(length);
    draw();
  } });

  const result = element('div', { class: 'd2i-needs' }), verdict = element('p', { class: 'd2i-verdict' });
  box.append(element('p', { class: 'd2i-head' }, say('title')), system.node,
    element('div', { class: 'd2i-columns' },
      element('div', {}, table.node, fields.node, element('div', { class: 'd2i-small-columns' }, factors.node, optimizer.node, gradient.node, room.node)),
      element('div', {}, log.node, times.node, element('div', { class: 'd2i-small-columns' }, batch.node, network.node))),
    result, verdict);

  const duration = seconds => {
    const [size, unit] = [[86400 * 365, 'years'], [86400, 'days'], [3600, 'hours'], [60, 'minutes'], [0, 'seconds']].find(([least]) => seconds >= least);
    return say(unit, { n: number(size ? seconds / size : seconds, 1) });
  };
  /* A length on a scale of powers of ten, and where its limit lies. */
  const gauge = (label, value, limit, [low, high], told, note) => {
    const place = x => Math.max(0, Math.min(100, (Math.log10(Math.max(x, 1e-30)) - low) / (high - low) * 100));
    const over = value > limit;
    return element('div', { class: over ? 'd2i-gauge d2i-over' : 'd2i-gauge' },
      element('span', {}, label), element('span', { class: 'd2i-number' }, `${told}${over ? ' ▲' : ''}`),
      element('span', { class: 'd2i-gauge-track', 'aria-hidden': 'true' },
        element('span', { class: 'd2i-gauge-fill', style: { width: `${place(value)}%` } }),
        element('span', { class: 'd2i-gauge-limit', style: { left: `${place(limit)}%` } })),
      element('span', { class: 'd2i-quiet d2i-gauge-note' }, note));
  };

  function draw() {
    const given = { ...state, speed: state.speed * 10 ** faster };
    const needs = trainingNeeds(given, data.copies, data.hidden);
    const share = x => x < 0.0995 ? percent(x, x < 0.00995 ? 2 : 1) : x < 1.995 ? percent(x) : `× ${number(x, x < 9.95 ? 1 : 0)}`;
    result.replaceChildren(
      gauge(say('needMemory'), needs.memory, memory * 1e9, [6, 14.5], short(needs.memory, 'B'),
        say('noteMemory', { parameters: count(given.table_rows * given.factors), copies: data.copies[given.optimizer] + Number(given.dense_gradient), memory: memory.toLocaleString('en-US') })),
      gauge(say('needTime'), needs.seconds, 86400, [0, 9], duration(needs.seconds),
        say('noteTime', { speed: count(needs.rows_per_second), adds: count(needs.multiply_adds) })),
      ...['mlps', 'pulled', 'whole'].map(name => gauge(say(name), needs[`${name}_share`], 1, [-4, 6], share(needs[`${name}_share`]),
        say('noteNetwork', { bytes: short(needs[name], 'B') }))));
    const fits = needs.memory <= memory * 1e9, inTime = needs.seconds <= 86400;
    const network = needs.mlps_share + needs.pulled_share <= 1;
    const parts = [
      fits && inTime ? say('yes') : null,
      fits ? null : say('noMemory', { machines: Math.ceil(needs.memory / (memory * 1e9)).toLocaleString('en-US') }),
      inTime ? null : say('noTime', { machines: Math.ceil(needs.seconds / 86400).toLocaleString('en-US') }),
      fits && inTime ? null : say(network ? 'networkYes' : 'networkNo'),
    ].filter(Boolean);
    verdict.textContent = parts.join(' ');
    verdict.classList.toggle('d2i-over', !(fits && inTime));
    announce(say('answer', { memory: short(needs.memory, 'B'), time: duration(needs.seconds), share: share(needs.pulled_share), verdict: verdict.textContent }));
    report(box, { needs, given, memory, fits, inTime });
  }
  draw();
}
