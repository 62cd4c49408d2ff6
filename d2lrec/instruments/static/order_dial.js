/* The order dial: effects of order 1, 2 and 3 on or off, and the share that each model recovers. */
import { button, choice, element, live, number, report } from './helpers.js';

const ORDERS = [1, 2, 3], COIN = 0.5;

/* The share of the way from the start to the best possible, of each model; { shares, start }.
   The start is a coin toss, or the model of order 1 where something beyond it was planted. */
export function recovered(data, setting, fromBase) {
  const auc = data.auc[setting], best = data.best[setting];
  const from = fromBase && setting !== '1' ? auc[data.base] : COIN;
  return { shares: auc.map(value => (value - from) / (best - from)), start: from };
}

export function start(box, data, say) {
  const on = new Set([1]);
  let fromBase = false, last = null;
  const announce = live(box);
  const setting = () => ORDERS.filter(order => on.has(order)).join(' + ');

  const switches = ORDERS.map(order => {
    const press = button(say(`order${order}`), () => {
      on.has(order) ? on.delete(order) : on.add(order);
      draw();
    }, { class: 'd2i-button d2i-switch' });
    return { order, press };
  });
  const base = choice({
    label: say('from'), choices: [say('coin'), data.models[data.base]],
    change: value => { fromBase = value === 1; last = null; draw(); },
  });
  const sentence = element('p', { class: 'd2i-dial-told' });
  const rows = data.models.map(model => {
    const made = {
      was: element('span', { class: 'd2i-was' }), dot: element('span', { class: 'd2i-dot' }),
      way: element('span', { class: 'd2i-way' }), number: element('span', { class: 'd2i-number' }), node: null,
    };
    made.node = element('li', { class: 'd2i-dial-row' },
      element('span', { class: 'd2i-title' }, model),
      element('span', { class: 'd2i-dial-track', 'aria-hidden': 'true' },
        [0, 50, 100].map(place => element('span', { class: 'd2i-tick', style: { left: `${place}%` } })), made.way, made.was, made.dot),
      made.number);
    return made;
  });
  const list = element('ul', { class: 'd2i-dial' }, rows.map(row => row.node));
  const scale = element('div', { class: 'd2i-dial-row d2i-scale', 'aria-hidden': 'true' }, element('span', {}),
    element('span', { class: 'd2i-dial-track' }, [['0', 0], ['.5', 50], ['1', 100]].map(([text, place]) =>
      element('span', { style: { left: `${place}%` } }, text))), element('span', {}));

  function draw() {
    switches.forEach(({ order, press }) => press.setAttribute('aria-pressed', on.has(order)));
    const now = setting();
    list.classList.toggle('d2i-off', !now);
    if (!now) {
      sentence.textContent = say('off');
      rows.forEach(row => { row.number.textContent = '–'; });
      announce(say('off'));
      report(box, { setting: '', from: fromBase ? 'base' : 'coin', shares: [], best: COIN });
      return;
    }
    const { shares, start: begun } = recovered(data, now, fromBase);
    const place = share => Math.min(1, Math.max(0, share)) * 100;
    shares.forEach((share, m) => {
      const row = rows[m], was = last && last[m];
      row.dot.style.left = `${place(share)}%`;
      row.was.hidden = row.way.hidden = was === null;
      if (was !== null) {
        row.was.style.left = `${place(was)}%`;
        row.way.style.left = `${Math.min(place(was), place(share))}%`;
        row.way.style.width = `${Math.abs(place(was) - place(share))}%`;
      }
      row.number.textContent = number(share, 2).replace(/^(−?)0\./, '$1.');
    });
    const first = shares.indexOf(Math.max(...shares));
    sentence.textContent = say('told', {
      start: number(begun, 2).replace(/^0/, ''), best: number(data.best[now], 2).replace(/^0/, ''),
    });
    const other = first !== data.base ? data.base     // the best beside the base, or the next one
      : [...shares.keys()].filter(m => m !== first).sort((one, two) => shares[two] - shares[one])[0];
    announce(say('answer', { setting: now, first: data.models[first], share: number(shares[first], 2),
      base: data.models[other], other: number(shares[other], 2) }));
    last = shares;
    report(box, { setting: now, from: fromBase ? 'base' : 'coin', shares, best: data.best[now] });
  }

  box.append(
    element('p', { class: 'd2i-head' }, say('title')),
    element('div', { class: 'd2i-row', role: 'group', 'aria-label': say('planted') }, switches.map(one => one.press)),
    sentence, list, scale, base.node, element('p', { class: 'd2i-quiet' }, say('legend')));
  draw();
}
