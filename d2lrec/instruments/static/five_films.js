/* Rate a few films: ten recommendations at once, and what each rating did to one of them. */
import { bars, beside, button, choice, element, finder, live, notes, number, report, sigmoid, signed, unique, unpacked } from './helpers.js';

const LENGTH = 10;

/* The arrays of a user-based AutoRec, and what it says of someone without ratings. */
export function model(data) {
  const made = {
    encoder: unpacked(data.encoder), encoderBias: unpacked(data.encoder_bias),
    decoder: unpacked(data.decoder), decoderBias: unpacked(data.decoder_bias),
    itemBias: unpacked(data.item_bias), mean: data.mean, damping: data.damping, listed: data.listed,
  };
  made.nobody = rebuilt(made, []);
  return made;
}

/* The net's output for the listed films; a line is [[film, residual], ...]. */
function rebuilt(net, line, only = null) {
  const z = Float64Array.from(net.encoderBias);
  for (const [film, residual] of line) {
    const column = net.encoder[film];
    for (let k = 0; k < z.length; k += 1) z[k] += residual * column[k];
  }
  for (let k = 0; k < z.length; k += 1) z[k] = sigmoid(z[k]);
  const of = n => {
    const row = net.decoder[n];
    let sum = net.decoderBias[n];
    for (let k = 0; k < z.length; k += 1) sum += row[k] * z[k];
    return sum;
  };
  return only === null ? Float64Array.from(net.listed, (_, n) => of(n)) : Float64Array.of(of(only));
}

/* { predicted, taste } of each listed film, or of the `only` one; ratings are [[film, stars], ...]. */
export function starsFor(net, ratings, only = null) {
  const beyond = ratings.map(([film, stars]) => stars - net.mean - net.itemBias[film]);
  const bias = ratings.length ? beyond.reduce((sum, one) => sum + one, 0) / (ratings.length + net.damping) : 0;
  const given = rebuilt(net, ratings.map(([film], n) => [film, beyond[n] - bias]), only);
  const place = n => only === null ? n : only;
  return {
    predicted: given.map((value, n) => net.mean + bias + net.itemBias[net.listed[place(n)]] + value),
    taste: given.map((value, n) => value - net.nobody[place(n)]),
  };
}

/* What each rating did to one listed film: with all, less without this one. */
export function effects(net, ratings, only, measure) {
  const whole = starsFor(net, ratings, only)[measure][0];
  return ratings.map((_, n) => whole - starsFor(net, ratings.filter((_, m) => m !== n), only)[measure][0]);
}

export function start(box, data, say) {
  const net = model(data);
  let ratings = data.start.map(pair => [...pair]), measure = 'predicted', chosen = null, places = null;
  const announce = live(box);
  const { shown: told, sought } = notes(data.titles.length, data.groups || {}, say, data.years, data.kinds);
  const note = film => beside(told[film]);
  const still = window.matchMedia && window.matchMedia('(prefers-reduced-motion: reduce)').matches;

  /* --- my ratings */
  const rated = element('ul', { class: 'd2i-rated' });
  const search = finder({
    label: say('search'), choices: data.titles, notes: told, sought, none: say('nothing'),
    change: film => {
      search.value = null;
      if (!ratings.some(([other]) => other === film)) {
        ratings = [...ratings, [film, 4]];
        list();
        draw(true, film);
      }
      const input = rated.querySelector(`[data-film="${film}"] input:checked`);
      if (input) input.focus();
    },
  });
  search.input.setAttribute('placeholder', say('placeholder'));

  function list() {
    rated.replaceChildren(...ratings.map(([film, given]) => {
      const name = unique('stars'), labels = [];
      const light = stars => labels.forEach((label, n) => label.classList.toggle('d2i-on', n < stars));
      for (let stars = 1; stars <= 5; stars += 1) {
        const input = element('input', {
          type: 'radio', name, value: stars, checked: stars === given, 'aria-label': say('stars', { number: stars }),
        });
        input.addEventListener('change', () => {
          ratings = ratings.map(pair => pair[0] === film ? [film, stars] : pair);
          light(stars);
          draw(true, film);
        });
        labels.push(element('label', { class: 'd2i-star' }, input, element('span', { 'aria-hidden': 'true' }, '★')));
      }
      light(given);
      return element('li', { 'data-film': film },
        element('fieldset', {}, element('legend', {}, data.titles[film], note(film)), element('span', { class: 'd2i-stars' }, labels)),
        button('×', () => {
          ratings = ratings.filter(([other]) => other !== film);
          list();
          draw();
          search.input.focus();
        }, { class: 'd2i-button d2i-remove', 'aria-label': say('remove', { film: data.titles[film] }) }));
    }));
  }

  /* --- the list */
  const order = choice({
    label: say('order'), choices: [say('predicted'), say('taste')],
    change: value => { measure = value ? 'taste' : 'predicted'; places = null; draw(); },
  });
  const recommended = element('ol', { class: 'd2i-recommended' });
  const why = element('div', { class: 'd2i-why' });
  const nodes = new Map();

  function entry(n) {
    if (!nodes.has(n)) {
      const made = {
        moved: element('span', { class: 'd2i-moved' }), number: element('span', { class: 'd2i-number' }),
        press: null, node: null,
      };
      made.press = button('', () => { chosen = n; draw(false); }, { class: 'd2i-button d2i-entry' });
      made.press.append(element('span', { class: 'd2i-title' }, data.titles[data.listed[n]], note(data.listed[n])), made.moved, made.number);
      made.node = element('li', {}, made.press);
      nodes.set(n, made);
    }
    return nodes.get(n);
  }

  /* Anew after a change, of the stars of a film `about`; else the reasons alone. */
  function draw(again = true, about = null) {
    const found = starsFor(net, ratings), score = found[measure];
    const seen = new Set(ratings.map(([film]) => film));
    const top = [...score.keys()].filter(n => !seen.has(data.listed[n]))
      .sort((one, other) => score[other] - score[one] || one - other).slice(0, LENGTH);
    if (!top.includes(chosen)) chosen = top.length ? top[0] : null;
    const before = new Map([...recommended.children].map(node => [node, node.getBoundingClientRect().top]));
    let fresh = 0;
    top.forEach((n, rank) => {
      const one = entry(n), was = places && places.get(n);
      if (again) {
        const isNew = places !== null && was === undefined;
        fresh += isNew;
        one.moved.textContent = isNew ? say('new') : !places || was === rank ? ''
          : was > rank ? `▲ ${was - rank}` : `▼ ${rank - was}`;
        one.moved.className = `d2i-moved${isNew ? ' d2i-new' : ''}`;
      }
      one.number.textContent = measure === 'taste' ? signed(score[n], 2) : number(score[n], 2);
      one.press.setAttribute('aria-pressed', n === chosen);
    });
    if (again) {
      recommended.replaceChildren(...top.map(n => entry(n).node));
      places = new Map(top.map((n, rank) => [n, rank]));
      if (!still) for (const n of top) {
        const { node } = entry(n);
        const by = before.has(node) ? before.get(node) - node.getBoundingClientRect().top : null;
        if (by) node.animate([{ transform: `translateY(${by}px)` }, { transform: 'none' }], { duration: 350, easing: 'ease-out' });
        else if (by === null && before.size) node.animate([{ opacity: 0 }, { opacity: 1 }], { duration: 350 });
      }
    }
    const drove = chosen === null ? [] : effects(net, ratings, chosen, measure);
    const film = chosen === null ? '' : data.titles[data.listed[chosen]];
    const moved = ratings.map(([other, stars], n) => ({ title: data.titles[other], stars, value: drove[n] }))
      .sort((one, other) => Math.abs(other.value) - Math.abs(one.value));
    why.replaceChildren(...(drove.length ? [
      element('p', { class: 'd2i-head' }, say('why', { film })),
      bars({ rows: moved.map(({ title, stars, value }) => ({ label: `${stars}★ ${title}`, value })) }),
      element('p', { class: 'd2i-quiet' }, say('whyNote'))] : [element('p', { class: 'd2i-quiet' }, say('nobody'))]));
    const given = about === null ? '' : `${data.titles[about]}: ${say('stars', { number: ratings.find(([other]) => other === about)[1] })}. `;
    if (again && top.length) announce(given + say('answer', { film: data.titles[data.listed[top[0]]], fresh }));
    if (!again) announce(drove.length ? [say('why', { film }), ...moved.slice(0, 3).map(({ title, value }) => `${title} ${signed(value, 2)}`)].join('; ') : say('nobody'));
    report(box, {
      ratings: ratings.map(([film, stars]) => [data.ids[film], stars]), measure,
      list: top.map(n => data.ids[data.listed[n]]),
      predicted: top.map(n => found.predicted[n]), taste: top.map(n => found.taste[n]),
      chosen: chosen === null ? null : data.ids[data.listed[chosen]], effects: drove,
    });
  }

  box.append(
    element('p', { class: 'd2i-head' }, say('title')),
    element('div', { class: 'd2i-columns' },
      element('div', {}, search.node, told.some(text => text) ? element('p', { class: 'd2i-quiet' }, say('titles')) : null, rated,
        button(say('reset'), () => { ratings = data.start.map(pair => [...pair]); list(); draw(); })),
      element('div', {}, order.node, recommended)),
    why);
  list();
  draw();
}
