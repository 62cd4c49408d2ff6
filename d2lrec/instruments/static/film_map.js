/* A map of films: point, search or walk with the arrow keys; neighbours in the whole space are lit. */
import { beside, choice, element, finder, live, notes, number, report, svg } from './helpers.js';

const WIDTH = 640, HEIGHT = 470, EDGE = 14, REACH = 26;

/* Points of a plane as places in the drawing, one scale for both directions where it fits. */
export function placed(plane) {
  const ends = axis => [Math.min(...plane.map(p => p[axis])), Math.max(...plane.map(p => p[axis]))];
  const [left, right] = ends(0), [low, high] = ends(1);
  return plane.map(([x, y]) => [
    EDGE + (x - left) / (right - left || 1) * (WIDTH - 2 * EDGE),
    HEIGHT - EDGE - (y - low) / (high - low || 1) * (HEIGHT - 2 * EDGE)]);
}

/* The nearest point in a direction [dx, dy]: within a quarter turn of it; null where there is none. */
export function towards(points, from, [dx, dy]) {
  let best = null, least = Infinity;
  points.forEach(([x, y], i) => {
    const ahead = (x - points[from][0]) * dx + (y - points[from][1]) * dy;
    const aside = Math.abs((x - points[from][0]) * dy - (y - points[from][1]) * dx);
    if (i === from || ahead <= 0 || aside > ahead) return;
    const far = ahead + aside;
    if (far < least) { least = far; best = i; }
  });
  return best;
}

/* The point nearest to a place, within reach; null where there is none. */
export function under(points, [x, y], reach = Infinity) {
  let best = null, least = reach * reach;
  points.forEach((p, i) => {
    const far = (p[0] - x) ** 2 + (p[1] - y) ** 2;
    if (far <= least) { least = far; best = i; }
  });
  return best;
}

export function start(box, data, say) {
  const names = Object.keys(data.planes), kinds = Object.keys(data.groups);
  let plane = names[names.length - 1], points = placed(data.planes[plane]);
  let chosen = data.start, pointed = null, group = null;
  const announce = live(box);
  const years = data.years || [], about = notes(data.names.length, data.groups, say, years, data.kinds);
  const year = i => beside(years[i]);

  const lines = svg('g', { class: 'd2i-map-lines' }), words = svg('g', { class: 'd2i-map-words' });
  const dots = data.names.map(() => svg('circle', { r: 3 }));
  const mark = svg('circle', { class: 'd2i-chosen' });   // the chosen film's, before all others
  const drawing = svg('svg', { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, class: 'd2i-map', 'aria-hidden': 'true' },
    lines, svg('g', {}, dots, mark), words);
  const field = element('div', {
    class: 'd2i-map-field', tabindex: '0', role: 'application', 'aria-label': say('field', { films: data.names.length }),
  }, drawing);
  const told = element('p', { class: 'd2i-map-told' });
  const near = element('ol', { class: 'd2i-near' });

  const search = finder({
    label: say('search'), choices: data.names, notes: about.shown, sought: about.sought, value: chosen, none: say('nothing'), change: i => choose(i),
  });
  const picture = choice({
    label: say('picture'), choices: names.map(name => say(`plane.${name}`)), value: names.indexOf(plane),
    change: i => { plane = names[i]; points = placed(data.planes[plane]); pointed = null; draw(); },
  });
  const kind = name => {
    const key = `group.${name}`, said = say(key);
    return said === key ? name : said;
  };
  const groups = kinds.length ? choice({
    label: say('group'), choices: [say('none'), ...kinds.map(kind)],
    change: i => { group = i ? new Set(data.groups[kinds[i - 1]]) : null; draw(); },
  }) : null;

  const tell = () => announce(say('answer', {
    film: data.names[chosen], near: data.neighbours[chosen].slice(0, 3).map(n => data.names[n]).join(', '),
  }));
  function choose(i) {
    chosen = i;
    pointed = null;
    search.value = i;
    draw();
    tell();
  }

  const at = event => {
    const place = drawing.getBoundingClientRect(), scale = WIDTH / place.width;
    return under(points, [(event.clientX - place.left) * scale, (event.clientY - place.top) * scale], REACH * Math.max(1, scale / 1.5));
  };
  const point = i => { if (i !== pointed) { pointed = i; label(); } };
  field.addEventListener('pointermove', event => { if (event.pointerType === 'mouse') point(at(event)); });
  field.addEventListener('pointerleave', () => point(null));
  field.addEventListener('focusin', tell);   // where the arrow keys begin
  field.addEventListener('click', event => { const i = at(event); if (i !== null) choose(i); });
  field.addEventListener('keydown', event => {
    const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (!way || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    const next = towards(points, chosen, way);
    if (next !== null) choose(next);
  });

  /* Names beside points: of the chosen one, of the one pointed at, of neighbours where there is room. */
  function label() {
    const narrow = drawing.getBoundingClientRect().width < 480, size = narrow ? 21 : 13;
    const near = new Set(data.neighbours[chosen]);
    const radius = i => (i === chosen ? 7 : near.has(i) ? 5 : 3) * (narrow ? 1.5 : 1);
    const taken = [], texts = [];
    const named = [...(pointed === null ? [] : [pointed]), chosen, ...data.neighbours[chosen]];
    for (const i of new Set(named)) {
      const [x, y] = points[i], text = data.names[i], away = radius(i) + 4, wide = text.length * size * (i === pointed || i === chosen ? 0.64 : 0.58);
      const right = x + away + wide < WIDTH || x < wide + away, from = right ? x + away : x - away - wide;
      const one = [from, y - size * 0.7, from + wide, y + size * 0.5];
      const must = i === pointed || i === chosen;
      if (i !== pointed && taken.some(two => one[0] < two[2] && two[0] < one[2] && one[1] < two[3] && two[1] < one[3])) continue;
      if (!must && narrow && taken.length > 3) continue;
      taken.push(one);
      texts.push(svg('text', {
        x: right ? x + away : x - away, y: y + size * 0.33, 'font-size': size, 'stroke-width': size / 4, 'text-anchor': right ? 'start' : 'end',
        class: i === pointed ? 'd2i-pointed' : i === chosen ? 'd2i-chosen' : null,
      }, text));
    }
    words.replaceChildren(...texts.reverse());
    dots.forEach((dot, i) => {
      dot.classList.toggle('d2i-pointed', i === pointed);
      dot.setAttribute('r', radius(i));
    });
    mark.setAttribute('r', radius(chosen));
  }

  function draw() {
    const lit = new Set(data.neighbours[chosen]);
    dots.forEach((dot, i) => {
      const [x, y] = points[i];
      dot.style.transform = `translate(${x.toFixed(1)}px, ${y.toFixed(1)}px)`;
      const kindOf = lit.has(i) ? 'd2i-lit' : group && group.has(i) ? 'd2i-of-group' : '';
      dot.setAttribute('class', kindOf);
    });
    mark.style.transform = dots[chosen].style.transform;
    lines.replaceChildren(...data.neighbours[chosen].map(n => svg('line', {
      x1: points[chosen][0], y1: points[chosen][1], x2: points[n][0], y2: points[n][1] })));
    label();
    told.replaceChildren(element('strong', {}, data.names[chosen], year(chosen)), say('nearest'));
    near.replaceChildren(...data.neighbours[chosen].map((n, k) => element('li', {},
      element('button', { type: 'button', class: 'd2i-button d2i-entry', onclick: () => { choose(n); told.focus(); } },
        element('span', { class: 'd2i-title' }, data.names[n], year(n)),
        element('span', { class: 'd2i-number' }, number(data.cosines[chosen][k], 2))))));
    report(box, { chosen, plane, neighbours: data.neighbours[chosen], cosines: data.cosines[chosen], group: group && group.size });
  }
  told.setAttribute('tabindex', '-1');

  box.append(
    element('p', { class: 'd2i-head' }, say('title')),
    element('div', { class: 'd2i-columns d2i-three' }, search.node, picture.node, groups && groups.node),
    field, element('p', { class: 'd2i-quiet' }, say('hint')), told, near);
  draw();
  box.addEventListener('d2i-shown', label);
  if (typeof ResizeObserver !== 'undefined') new ResizeObserver(label).observe(field);
}
