/* A score slider: two models' predictions; threshold, sharpness and bias move one of them. */
import { choice, element, button, frame, live, number, path, percent, report, sigmoid, slider, svg, unpacked } from './helpers.js';

/* Rows from the lowest score to the highest; equal scores in their order. */
export function order(scores) {
  return Array.from(scores.keys()).sort((i, j) => scores[i] - scores[j] || i - j);
}

/* The probability that a 1 has the higher score than a 0, ties one half, and the ROC curve. */
export function roc(labels, scores, sorted = order(scores)) {
  let ones = 0, zeros = 0;
  for (const y of labels) if (y) ones += 1; else zeros += 1;
  let hit = 0, miss = 0, area = 0;
  const curve = [[0, 0]];
  for (let at = sorted.length - 1; at >= 0;) {
    const score = scores[sorted[at]], beforeHit = hit, beforeMiss = miss;
    for (; at >= 0 && scores[sorted[at]] === score; at -= 1) if (labels[sorted[at]]) hit += 1; else miss += 1;
    area += (miss - beforeMiss) * (hit + beforeHit) / 2;
    curve.push([miss / zeros, hit / ones]);
  }
  return { auc: area / (ones * zeros), curve };
}

/* The mean of -log p of what happened, from logits. */
export function logLoss(labels, logits) {
  let sum = 0;
  for (let i = 0; i < labels.length; i += 1) {
    const s = labels[i] ? -logits[i] : logits[i];
    sum += s > 0 ? s + Math.log1p(Math.exp(-s)) : Math.log1p(Math.exp(s));
  }
  return sum / labels.length;
}

/* Bins of equal numbers of rows: [mean prediction, share of ones]. */
export function calibration(labels, probs, sorted, bins = 10) {
  const size = Math.floor(sorted.length / bins), more = sorted.length % bins, table = [];
  for (let b = 0, at = 0; b < bins; b += 1) {
    const count = size + (b < more ? 1 : 0);
    let p = 0, y = 0;
    for (let n = 0; n < count; n += 1, at += 1) { p += probs[sorted[at]]; y += labels[sorted[at]]; }
    table.push([p / count, y / count]);
  }
  return table;
}

/* Of all rows at or above the threshold, and of all rows. */
export function decided(labels, probs, threshold) {
  let hit = 0, wrong = 0, missed = 0, left = 0;
  for (let i = 0; i < labels.length; i += 1)
    if (probs[i] >= threshold) { if (labels[i]) hit += 1; else wrong += 1; } else if (labels[i]) missed += 1; else left += 1;
  return {
    accuracy: (hit + left) / labels.length, precision: hit + wrong ? hit / (hit + wrong) : NaN,
    recall: hit / (hit + missed), share: (hit + wrong) / labels.length, fall: wrong / (wrong + left),
  };
}

export function measure(labels, given, sharpness, bias, threshold) {
  const logits = Float64Array.from(given, s => sharpness * s + bias), probs = Float64Array.from(logits, sigmoid);
  const sorted = order(logits), { auc, curve } = roc(labels, logits, sorted);
  const mean = probs.reduce((sum, p) => sum + p, 0) / probs.length;
  return { auc, curve, logLoss: logLoss(labels, logits), calibration: calibration(labels, probs, sorted, Math.min(10, labels.length)), mean, ...decided(labels, probs, threshold) };
}

export function start(box, data, say) {
  const labels = unpacked(data.labels), logits = data.logits.map(unpacked);
  const names = data.names.map(name => say(name));
  const rate = labels.reduce((sum, y) => sum + y, 0) / labels.length;
  const first = { sharpness: 1, bias: 0 };
  const setting = [{ ...first }, { ...first }];
  let which = 0, threshold = 0.5, waiting = 0, cutting = false;   // cutting: the threshold moved last
  const announce = live(box);
  const found = [0, 1].map(m => measure(labels, logits[m], 1, 0, threshold));
  const plain = found.map(one => ({ ...one }));

  const model = choice({ label: say('which'), choices: names, change: m => { which = m; settle(); } });
  const later = m => { cutting = m === null; cancelAnimationFrame(waiting); waiting = requestAnimationFrame(() => { again(m); draw(); }); };
  const sharp = slider({ label: say('sharpness'), min: -2, max: 2, step: 0.05, value: 0, text: x => `× ${number(2 ** x)}`, change: x => { setting[which].sharpness = 2 ** x; later(which); } });
  const bias = slider({ label: say('bias'), min: -3, max: 3, step: 0.05, value: 0, text: x => number(x), change: x => { setting[which].bias = x; later(which); } });
  const cut = slider({ label: say('threshold'), min: 0, max: 1, step: 0.01, value: threshold, text: x => number(x), change: x => { threshold = x; later(null); } });
  const settle = () => { sharp.value = Math.log2(setting[which].sharpness); bias.value = setting[which].bias; };
  const again = m => {
    for (const n of m === null ? [0, 1] : [m])
      found[n] = measure(labels, logits[n], setting[n].sharpness, setting[n].bias, threshold);
  };
  const reset = () => { setting.forEach(one => Object.assign(one, first)); threshold = 0.5; cut.value = 0.5; cutting = false; settle(); again(null); draw(); };

  const left = element('figure', {}), right = element('figure', {}), table = element('div', { class: 'd2i-wide' });
  const key = element('p', { class: 'd2i-key' }, names.map((name, m) => element('span', { class: `d2i-model d2i-model-${m}` }, name)));
  box.append(
    element('p', { class: 'd2i-head' }, say('title')),
    element('div', { class: 'd2i-columns' },
      element('div', {}, model.node, sharp.node, bias.node),
      element('div', {}, cut.node, element('p', { class: 'd2i-quiet' }, say('how')), ...(data.of ? [element('p', { class: 'd2i-quiet' }, say('sample', { of: data.of, rows: number(labels.length, 0) }))] : []), button(say('reset'), reset))),
    element('div', { class: 'd2i-measured' }, key, element('div', { class: 'd2i-columns' }, left, right), table));

  const ticks = [0, 0.25, 0.5, 0.75, 1];
  const plot = (label, xLabel, yLabel) => frame({ width: 320, height: 270, x: [0, 1], y: [0, 1], xTicks: ticks, yTicks: ticks, xLabel, yLabel, label, text: x => String(x).replace(/^0\./, '.') });
  const thinned = curve => curve.length < 400 ? curve : curve.filter((_, i) => i % Math.ceil(curve.length / 400) === 0 || i === curve.length - 1);

  function draw() {
    const one = plot(say('rocAlt', { a: number(found[0].auc, 3), b: number(found[1].auc, 3) }), say('fall'), say('recall'));
    one.layer.append(path(one, [[0, 0], [1, 1]], { class: 'd2i-even' }),
      ...found.map((m, n) => path(one, thinned(m.curve), { class: `d2i-curve d2i-model-${n}` })),
      ...found.map((m, n) => svg('circle', { class: `d2i-point d2i-model-${n}`, r: 6, cx: one.x(m.fall), cy: one.y(m.recall) })));
    const two = plot(say('calibrationAlt'), say('predicted'), say('observed'));
    two.layer.append(path(two, [[0, 0], [1, 1]], { class: 'd2i-even' }),
      svg('line', { class: 'd2i-even', x1: two.x(threshold), x2: two.x(threshold), y1: two.y(0), y2: two.y(1) }));
    found.forEach((m, n) => two.layer.append(path(two, m.calibration, { class: `d2i-curve d2i-model-${n}` }),
      ...m.calibration.map(([x, y]) => svg('circle', { class: `d2i-point d2i-model-${n}`, r: 3.5, cx: two.x(x), cy: two.y(y) }))));
    left.replaceChildren(element('figcaption', { class: 'd2i-head' }, say('roc')), one.node);
    right.replaceChildren(element('figcaption', { class: 'd2i-head' }, say('calibration')), two.node);
    const rows = [
      ['AUC', m => number(m.auc, 3)], [say('logLoss'), m => number(m.logLoss, 3)],
      [say('mean', { rate: number(rate, 3) }), m => number(m.mean, 3)],
      [say('shown'), m => percent(m.share)], [say('accuracy'), m => number(m.accuracy, 3)],
      [say('precision'), m => number(m.precision, 3)], [say('recall'), m => number(m.recall, 3)],
    ];
    const cell = (text, before) => element('td', { class: text === before ? 'd2i-number' : 'd2i-number d2i-changed' }, text);
    table.replaceChildren(element('table', { class: 'd2i-table' },
      element('thead', {}, element('tr', {}, element('td', {}), names.flatMap(name => [
        element('th', { scope: 'col' }, name), element('th', { scope: 'col', class: 'd2i-quiet' }, say('before'))]))),
      element('tbody', {}, rows.map(([label, tell]) => element('tr', {}, element('th', { scope: 'row' }, label),
        found.flatMap((m, n) => [cell(tell(m), tell(plain[n])), element('td', { class: 'd2i-number d2i-quiet' }, tell(plain[n]))]))))));
    const mine = found[which], name = names[which];
    announce(cutting
      ? say('cut', { name, accuracy: number(mine.accuracy, 3), precision: number(mine.precision, 3), recall: number(mine.recall, 3), share: percent(mine.share) })
      : say('answer', { name, auc: number(mine.auc, 3), loss: number(mine.logLoss, 3) }));
    report(box, { which, threshold, setting, models: found.map(({ curve, ...rest }) => rest) });
  }
  draw();
}
