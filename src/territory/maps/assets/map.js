'use strict';
/**
 * The map: territories, customers, homes and routes on a canvas that can be moved and zoomed.
 *
 * `plan` is what report.js knows of the plan: D, A, R, S (data), state, route(), rep(), and words.
 */
function makeMap(plan) {
  const { D, A, R, S, ALL, $, h, bdi, push, clock, span, named, state, rep, route, choose, chosenRoutes } = plan;
  const { repName, areaLabel, areaOfRep, customersOf, everyRep, nAreas, visitsOf, shade } = plan;
  const canvas = $('map'), pen = canvas.getContext('2d'), tip = $('tip');
  const mercator = (lat) => Math.log(Math.tan(Math.PI / 4 + Math.max(-85, Math.min(85, lat)) * Math.PI / 360)) * 180 / Math.PI;
  const latitude = (y) => Math.atan(Math.sinh(y * Math.PI / 180)) * 180 / Math.PI;
  const xs = [...D.customers.x, ...D.reps.x].map((v) => v / 1e5), ys = [...D.customers.y, ...D.reps.y].map((v) => v / 1e5);
  const middle = (values) => (values.length ? (values.reduce((m, v) => Math.min(m, v)) + values.reduce((m, v) => Math.max(m, v))) / 2 : 0);
  const x0 = middle(xs), y0 = mercator(middle(ys));
  // degrees of longitude about the middle, y growing southwards: small numbers, for the canvas counts in 32 bits
  const place = (x, y) => [x / 1e5 - x0, y0 - mercator(y / 1e5)];
  const points = (t, x, y) => t[x].map((v, i) => place(v, t[y][i]));
  const at = points(D.customers, 'x', 'y'), home = points(D.reps, 'x', 'y'), end = D.reps.end_x ? points(D.reps, 'end_x', 'end_y') : home;
  const corners = Array.from({ length: nAreas }, () => []);
  const shapes = (A.rings || []).map((rings, a) => {
    const path = new Path2D();
    for (const ring of rings) {
      let x = 0, y = 0;
      for (let i = 0; i < ring.length; i += 2) {
        x += ring[i];
        y += ring[i + 1];
        const p = place(x, y);
        corners[a].push(p);
        path[i ? 'lineTo' : 'moveTo'](p[0], p[1]);
      }
      path.closePath();
    }
    return path;
  });
  const tags = (A.label || []).map((p) => p && place(p[0], p[1]));
  const view = { k: 1, x: 0, y: 0 };
  let width = 1, height = 1, hotStop = null, due = false, ink = {};
  const toScreen = (p) => [p[0] * view.k + view.x, p[1] * view.k + view.y];

  function colours() {
    const css = getComputedStyle(document.documentElement);
    ink = Object.fromEntries(['ink', 'muted', 'map', 'halo', 'grid', 'accent', 'line'].map((n) => [n, css.getPropertyValue(`--${n}`).trim()]));
  }
  function size() {
    const box = canvas.getBoundingClientRect(), ratio = window.devicePixelRatio || 1;
    width = Math.max(1, box.width);
    height = Math.max(1, box.height);
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
  }
  const stopsOf = (i) => Array.from({ length: visitsOf(i) }, (_, n) => at[S.customer[R.stop[i] + n]]);
  // nights away begin and end elsewhere; contacts from home are on nobody's way
  const leaves = R.from_x && points(R, 'from_x', 'from_y'), reaches = R.to_x && points(R, 'to_x', 'to_y');
  const wayOf = (i) => stopsOf(i).filter((_, n) => !(S.remote && S.remote[R.stop[i] + n]));
  const line = (i) => [leaves ? leaves[i] : home[R.rep[i]], ...wayOf(i), reaches ? reaches[i] : end[R.rep[i]]];
  // lines come as steps on the grid from point to point
  const along = (steps) => {
    const out = [];
    for (let i = 0, x = 0, y = 0; i < steps.length; i += 2) out.push(place(x += steps[i], y += steps[i + 1]));
    return out;
  };
  const streets = {};
  const driven = (i) => {
    const key = R.rep[i] * D.days + R.day[i], steps = D.streets && D.streets[key];
    if (!steps) return line(i);
    return streets[key] = streets[key] || along(steps);
  };
  const roads = new Path2D();
  for (const steps of D.roads || []) along(steps).forEach((p, n) => roads[n ? 'lineTo' : 'moveTo'](p[0], p[1]));
  function fit() {
    const i = route();
    let shown;
    if (i !== undefined) shown = driven(i);
    else if (state.area !== ALL) shown = [...customersOf[state.area].map((c) => at[c]), ...corners[state.area], ...(rep() < 0 ? [] : [home[rep()]])];
    if (!shown || !shown.length) shown = [...at, ...home, ...corners.flat()];
    const low = [Infinity, Infinity], high = [-Infinity, -Infinity];
    for (const p of shown) for (const d of [0, 1]) { low[d] = Math.min(low[d], p[d]); high[d] = Math.max(high[d], p[d]); }
    if (!shown.length) low[0] = low[1] = high[0] = high[1] = 0;
    const pad = width < 600 ? 26 : 44, tools = width < 600 ? 34 : 20; // the buttons stand on the right
    view.k = Math.min((width - 2 * pad - tools) / Math.max(0.01, high[0] - low[0]), (height - 2 * pad) / Math.max(0.01, high[1] - low[1]));
    view.x = (width - tools) / 2 - view.k * (low[0] + high[0]) / 2;
    view.y = height / 2 - view.k * (low[1] + high[1]) / 2;
  }
  function zoom(by, x = width / 2, y = height / 2) {
    const k = Math.max(1, Math.min(4e6, view.k * by));
    view.x = x - (x - view.x) * k / view.k;
    view.y = y - (y - view.y) * k / view.k;
    view.k = k;
    draw();
  }
  function draw() {
    if (!due) { due = true; requestAnimationFrame(() => { due = false; paint(); }); }
  }
  function paint() {
    const ratio = canvas.width / width, world = () => pen.setTransform(ratio * view.k, 0, 0, ratio * view.k, ratio * view.x, ratio * view.y);
    const screen = () => pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    screen();
    pen.globalAlpha = 1;
    pen.fillStyle = ink.map;
    pen.fillRect(0, 0, width, height);
    graticule();
    world();
    const single = state.area !== ALL, faded = state.day !== ALL && !single;
    shapes.forEach((path, a) => {
      pen.globalAlpha = single ? (a === state.area ? (route() === undefined ? 0.24 : 0.11) : 0.06) : faded ? 0.12 : 0.28;
      pen.fillStyle = A.colour[a];
      pen.fill(path, 'evenodd');
    });
    pen.lineJoin = 'round';
    shapes.forEach((path) => { pen.globalAlpha = 0.9; pen.strokeStyle = ink.halo; pen.lineWidth = 1.6 / view.k; pen.stroke(path); });
    if (single && shapes[state.area]) {
      pen.globalAlpha = 1;
      pen.strokeStyle = A.colour[state.area];
      pen.lineWidth = 2 / view.k;
      pen.stroke(shapes[state.area]);
    }
    if (D.roads) {
      pen.globalAlpha = 0.3;
      pen.strokeStyle = ink.muted;
      pen.lineWidth = 0.8 / view.k;
      pen.stroke(roads);
      pen.globalAlpha = 1;
    }
    screen();
    dots(single, faded);
    const i = route();
    if (i === undefined && state.day !== ALL) chosenRoutes().forEach((j) => trace(j, 1.6, 0.9));
    if (i !== undefined) trace(i, 3, 1);
    homes();
    if (i !== undefined) pins(i);
    else labels();
    scaleBar();
  }
  function graticule() {
    const steps = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60], step = steps.find((s) => s * view.k > 110) || 90;
    const west = (0 - view.x) / view.k + x0, east = (width - view.x) / view.k + x0;
    const north = latitude(y0 + view.y / view.k), south = latitude(y0 - (height - view.y) / view.k);
    const digits = step < 0.1 ? 2 : step < 1 ? 1 : 0;
    pen.strokeStyle = ink.grid;
    pen.lineWidth = 1;
    pen.fillStyle = ink.muted;
    pen.globalAlpha = 0.8;
    pen.font = '10.5px system-ui, sans-serif';
    pen.textAlign = 'left';
    pen.textBaseline = 'top';
    pen.beginPath();
    for (let n = Math.ceil(west / step); n * step <= east; n += 1) {
      const x = Math.round((n * step - x0) * view.k + view.x) + 0.5, turned = ((n * step + 540) % 360) - 180;
      pen.moveTo(x, 0);
      pen.lineTo(x, height);
      if (x < width - 90 && x > 30) pen.fillText(`${Math.abs(turned).toFixed(digits)}°${turned < 0 ? 'W' : 'E'}`, x + 4, 6);
    }
    for (let n = Math.ceil(south / step); n * step <= Math.min(85, north); n += 1) {
      const y = Math.round((y0 - mercator(n * step)) * view.k + view.y) + 0.5;
      pen.moveTo(0, y);
      pen.lineTo(width, y);
      if (y > 24 && y < height - 50) pen.fillText(`${Math.abs(n * step).toFixed(digits)}°${n < 0 ? 'S' : 'N'}`, 6, y + 4);
    }
    pen.stroke();
  }
  function dots(single, faded) {
    const radius = Math.max(0.8, Math.min(3.4, 0.8 * Math.sqrt(width * height / (at.length + 1)) / 6 + Math.log10(view.k / 60 + 1)));
    const paintDots = (customers, colour, alpha, r) => {
      pen.globalAlpha = alpha;
      pen.fillStyle = colour;
      pen.beginPath();
      for (const c of customers) {
        const [x, y] = toScreen(at[c]);
        if (x < -5 || y < -5 || x > width + 5 || y > height + 5) continue;
        pen.moveTo(x + r, y);
        pen.arc(x, y, r, 0, 7);
      }
      pen.fill();
    };
    customersOf.forEach((customers, a) => {
      const mine = a === state.area;
      paintDots(customers, A.colour[a], single ? (mine ? (state.day === ALL ? 1 : 0.55) : 0.18) : faded ? 0.22 : 0.85, mine ? radius + 0.7 : radius);
    });
    // whom nobody serves stands out; whom nobody visits on some days does not
    if (!single) paintDots(D.customers.area.flatMap((a, c) => (a < 0 ? [c] : [])), A.rings ? ink.ink : ink.muted, A.rings ? 0.9 : 0.45, radius);
  }
  function house(p, colour, scale, rim) {
    const [x, y] = toScreen(p), s = scale;
    pen.beginPath();
    pen.moveTo(x, y - 1.25 * s);
    pen.lineTo(x + 1.15 * s, y - 0.15 * s);
    pen.lineTo(x + 0.85 * s, y - 0.15 * s);
    pen.lineTo(x + 0.85 * s, y + s);
    pen.lineTo(x - 0.85 * s, y + s);
    pen.lineTo(x - 0.85 * s, y - 0.15 * s);
    pen.lineTo(x - 1.15 * s, y - 0.15 * s);
    pen.closePath();
    pen.lineWidth = 3;
    pen.strokeStyle = rim;
    pen.stroke();
    pen.fillStyle = colour;
    pen.fill();
  }
  function homes() {
    areaOfRep.forEach((a, r) => {
      const mine = a === state.area;
      pen.globalAlpha = state.area === ALL || mine ? 1 : 0.25;
      if (mine && end[r] !== home[r] && (end[r][0] !== home[r][0] || end[r][1] !== home[r][1])) house(end[r], ink.map, 6.5, shade(A.colour[a]));
      house(home[r], mine ? ink.ink : shade(A.colour[a]), mine ? 7.5 : width < 600 ? 4.5 : 5.5, ink.halo);
    });
  }
  function trace(i, weight, alpha) {
    const legs = driven(i).map(toScreen), colour = shade(A.colour[areaOfRep.get(R.rep[i])]);
    const stroke = () => { pen.beginPath(); legs.forEach((p, n) => pen[n ? 'lineTo' : 'moveTo'](p[0], p[1])); pen.stroke(); };
    pen.globalAlpha = alpha;
    pen.lineJoin = 'round';
    pen.strokeStyle = ink.halo;
    pen.lineWidth = weight + 2.5;
    stroke();
    pen.strokeStyle = pen.fillStyle = colour;
    pen.lineWidth = weight;
    stroke();
    if (weight < 2) return;
    const winding = driven(i) !== streets[R.rep[i] * D.days + R.day[i]] ? 0 : 120;
    for (let n = 1, since = winding / 2; n < legs.length; n += 1) {
      const [ax, ay] = legs[n - 1], dx = legs[n][0] - ax, dy = legs[n][1] - ay, length = Math.hypot(dx, dy);
      // along streets a head every so often, else one a leg
      since += length;
      if (winding ? since < winding || length < 12 : length < 46) continue;
      since = 0;
      const ux = dx / length, uy = dy / length, mx = ax + 0.55 * dx, my = ay + 0.55 * dy;
      pen.beginPath();
      pen.moveTo(mx + 6 * ux, my + 6 * uy);
      pen.lineTo(mx - 5 * ux - 5.5 * uy, my - 5 * uy + 5.5 * ux);
      pen.lineTo(mx - 5 * ux + 5.5 * uy, my - 5 * uy - 5.5 * ux);
      pen.fill();
    }
  }
  function pins(i) {
    const colour = shade(A.colour[areaOfRep.get(R.rep[i])]), spots = [];
    // stops that would cover one another share a pin until the map is zoomed in
    stopsOf(i).map(toScreen).forEach(([x, y], n) => {
      const spot = spots.find((s) => Math.abs(s.x - x) < 15 && Math.abs(s.y - y) < 15);
      if (spot) spot.numbers.push(n + 1);
      else spots.push({ x, y, numbers: [n + 1] });
    });
    pen.globalAlpha = 1;
    pen.textAlign = 'center';
    pen.textBaseline = 'middle';
    pen.font = '600 11.5px system-ui, sans-serif';
    for (const { x, y, numbers } of spots) {
      const text = runs(numbers), hot = hotStop !== null && numbers.includes(hotStop - R.stop[i] + 1);
      const half = Math.max(10, pen.measureText(text).width / 2 + 5) + (hot ? 3 : 0), tall = hot ? 13 : 10;
      pen.beginPath();
      pen.roundRect(x - half, y - tall, 2 * half, 2 * tall, tall);
      pen.lineWidth = 3.5;
      pen.strokeStyle = ink.halo;
      pen.stroke();
      pen.fillStyle = hot ? ink.ink : colour;
      pen.fill();
      pen.fillStyle = hot ? ink.map : '#fff';
      pen.fillText(text, x, y + 0.5);
    }
  }
  function runs(numbers) {
    const out = [];
    numbers.forEach((n) => {
      const last = out[out.length - 1];
      if (last && n === last[1] + 1) last[1] = n;
      else out.push([n, n]);
    });
    return out.map(([from, to]) => (from === to ? `${from}` : to === from + 1 ? `${from},${to}` : `${from}–${to}`)).join(',');
  }
  function labels() {
    pen.textAlign = 'center';
    pen.textBaseline = 'middle';
    pen.lineJoin = 'round';
    const taken = [];
    tags.forEach((p, a) => {
      if (!p || a === state.area) return;
      const [x, y] = toScreen(p), text = A.id[a].length > 24 ? `${A.id[a].slice(0, 23)}…` : A.id[a];
      pen.font = `600 ${width < 600 ? 10.5 : 12}px system-ui, sans-serif`;
      const half = pen.measureText(text).width / 2 + 2;
      if (taken.some((t) => Math.abs(t[0] - x) < t[2] + half && Math.abs(t[1] - y) < 14)) return;
      taken.push([x, y, half]);
      pen.globalAlpha = state.area === ALL ? 0.9 : 0.6;
      pen.strokeStyle = ink.halo;
      pen.lineWidth = 3.5;
      pen.strokeText(text, x, y);
      pen.globalAlpha = state.area === ALL ? 1 : 0.7;
      pen.fillStyle = ink.ink;
      pen.fillText(text, x, y);
    });
  }
  function scaleBar() {
    const kmPerPixel = 111.195 * Math.cos(latitude(y0 - (height / 2 - view.y) / view.k) * Math.PI / 180) / view.k;
    const most = 120 * kmPerPixel, power = 10 ** Math.floor(Math.log10(most));
    const length = [5, 2, 1].find((s) => s * power <= most) * power, w = length / kmPerPixel;
    pen.globalAlpha = 1;
    pen.fillStyle = pen.strokeStyle = ink.ink;
    pen.lineWidth = 2;
    pen.beginPath();
    pen.moveTo(14, height - 22);
    pen.lineTo(14, height - 16);
    pen.lineTo(14 + w, height - 16);
    pen.lineTo(14 + w, height - 22);
    pen.stroke();
    pen.textAlign = 'center';
    pen.textBaseline = 'bottom';
    pen.font = '11.5px system-ui, sans-serif';
    pen.fillText(length < 1 ? `${Math.round(length * 1000)} m` : `${length} km`, 14 + w / 2, height - 22);
  }

  // pointing
  function nearest(places, rows, x, y, reach) {
    let best = -1, least = reach * reach;
    for (const i of rows) {
      const [px, py] = toScreen(places[i]), d = (px - x) ** 2 + (py - y) ** 2;
      if (d < least) { least = d; best = i; }
    }
    return best;
  }
  const allCustomers = at.map((_, c) => c);
  function under(x, y) {
    const i = route();
    if (i !== undefined) {
      const n = nearest(stopsOf(i), [...Array(visitsOf(i)).keys()], x, y, 13);
      if (n >= 0) return { stop: R.stop[i] + n, customer: S.customer[R.stop[i] + n] };
    }
    const r = nearest(home, everyRep, x, y, 11);
    if (r >= 0) return { area: areaOfRep.get(r), home: r };
    const c = nearest(at, allCustomers, x, y, 6), wx = (x - view.x) / view.k, wy = (y - view.y) / view.k;
    pen.setTransform(1, 0, 0, 1, 0, 0);
    let a = c >= 0 ? D.customers.area[c] : shapes.findIndex((path) => pen.isPointInPath(path, wx, wy, 'evenodd'));
    if (c >= 0 && a < 0) a = undefined;
    return a === -1 && c < 0 ? null : { area: a, customer: c >= 0 ? c : undefined };
  }
  function hint(x, y) {
    const hit = under(x, y);
    canvas.classList.toggle('over', Boolean(hit));
    tip.hidden = !hit;
    hotStop = hit && hit.stop !== undefined ? hit.stop : null;
    document.querySelectorAll('#sheet tr.hot').forEach((tr) => tr.classList.remove('hot'));
    if (hotStop !== null) document.querySelector(`#sheet tr[data-stop="${hotStop}"]`)?.classList.add('hot');
    draw();
    if (!hit) return;
    const lines = [];
    if (hit.home !== undefined) lines.push(`${repName(hit.home)}, home`);
    if (hit.customer !== undefined) lines.push(named(D.customers, hit.customer), D.customers.id[hit.customer]);
    if (hit.stop !== undefined) lines.push(`${clock(S.arrival[hit.stop] + S.wait[hit.stop])}, ${span(S.visit[hit.stop])}`);
    else if (hit.area !== undefined) lines.push(areaLabel(hit.area));
    else lines.push(A.rings ? 'in no territory' : 'not visited');
    tip.replaceChildren(...[...new Set(lines)].map((text) => h('div', null, bdi(text))));
    tip.style.left = `${Math.max(4, Math.min(x + 14, width - tip.offsetWidth - 6))}px`;
    tip.style.top = `${y + 18 + tip.offsetHeight > height ? y - tip.offsetHeight - 10 : y + 18}px`;
  }
  function pointing() {
    const held = new Map();
    let moved = 0;
    const spot = (event) => { const box = canvas.getBoundingClientRect(); return [event.clientX - box.left, event.clientY - box.top]; };
    canvas.addEventListener('pointerdown', (event) => {
      canvas.setPointerCapture(event.pointerId);
      held.set(event.pointerId, spot(event));
      if (held.size === 1) moved = 0;
    });
    canvas.addEventListener('pointermove', (event) => {
      const p = spot(event), was = held.get(event.pointerId);
      if (!was) { hint(p[0], p[1]); return; }
      moved += Math.hypot(p[0] - was[0], p[1] - was[1]);
      const other = [...held.entries()].find(([id]) => id !== event.pointerId);
      if (other) {
        const o = other[1], before = Math.hypot(was[0] - o[0], was[1] - o[1]), now = Math.hypot(p[0] - o[0], p[1] - o[1]);
        if (before > 0) zoom(now / before, (p[0] + o[0]) / 2, (p[1] + o[1]) / 2);
      } else if (moved > 4) {
        view.x += p[0] - was[0];
        view.y += p[1] - was[1];
        tip.hidden = true;
        canvas.classList.add('drag');
      }
      held.set(event.pointerId, p);
      draw();
    });
    const release = (event) => {
      const was = held.get(event.pointerId);
      held.delete(event.pointerId);
      canvas.classList.remove('drag');
      if (!was || event.type === 'pointercancel' || moved > 4 || held.size) return;
      const hit = under(was[0], was[1]);
      if (!hit) choose(ALL, state.day);
      else if (hit.area !== undefined) choose(hit.area === state.area && hit.home === undefined && route() === undefined ? ALL : hit.area, state.day);
    };
    canvas.addEventListener('pointerup', release);
    canvas.addEventListener('pointercancel', release);
    canvas.addEventListener('pointerleave', () => { tip.hidden = true; });
    // a page that scrolls keeps its wheel until the map is clicked, or Ctrl is held
    canvas.addEventListener('wheel', (event) => {
      if (!event.ctrlKey && document.activeElement !== canvas) return;
      event.preventDefault();
      const [x, y] = spot(event);
      zoom(Math.exp(-Math.max(-60, Math.min(60, event.deltaY)) / 180), x, y);
    }, { passive: false });
    const move = (x, y) => { view.x += x; view.y += y; draw(); };
    const keys = { ArrowLeft: () => move(60, 0), ArrowRight: () => move(-60, 0), ArrowUp: () => move(0, 60), ArrowDown: () => move(0, -60),
      '+': () => zoom(1.4), '=': () => zoom(1.4), '-': () => zoom(1 / 1.4), 0: () => { fit(); draw(); }, Escape: () => choose(ALL, ALL) };
    canvas.addEventListener('keydown', (event) => { if (keys[event.key] && !event.ctrlKey && !event.metaKey) { event.preventDefault(); keys[event.key](); } });
    $('zoom-in').addEventListener('click', () => zoom(1.5));
    $('zoom-out').addEventListener('click', () => zoom(1 / 1.5));
    $('zoom-fit').addEventListener('click', () => { fit(); draw(); });
  }
  return {
    fit,
    draw,
    hot: (s) => { hotStop = s; draw(); },
    start() {
      $('map-legend').textContent = ['dots: customers', 'houses: homes', ...(D.attribution ? [D.attribution] : [])].join(' · ');
      colours();
      size();
      fit();
      pointing();
      paint();
      new ResizeObserver(() => { const w = width, hh = height; size(); view.x += (width - w) / 2; view.y += (height - hh) / 2; paint(); }).observe(canvas);
      for (const query of ['(prefers-color-scheme: dark)', 'print']) window.matchMedia(query).addEventListener('change', () => { colours(); paint(); });
    },
  };
}
