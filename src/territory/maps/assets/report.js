'use strict';
(() => {
  const D = JSON.parse(document.getElementById('data').textContent);
  const $ = (id) => document.getElementById(id);
  const ALL = -1;

  // ---- elements: text is only ever put in as text ---------------------------------------------
  function h(tag, props, ...children) {
    const el = document.createElement(tag);
    for (const [name, value] of Object.entries(props || {})) {
      if (value === null || value === undefined || value === false) continue;
      if (name.startsWith('on')) el.addEventListener(name.slice(2), value);
      else if (name.startsWith('--')) el.style.setProperty(name, value);
      else if (name === 'class') el.className = value;
      else el.setAttribute(name, value === true ? '' : value);
    }
    el.append(...children.flat(2).filter((c) => c !== null && c !== undefined));
    return el;
  }
  const bdi = (text) => h('bdi', null, text);
  const td = (...children) => h('td', null, ...children);
  const num = (text) => h('td', { class: 'num' }, text);
  const dot = (colour) => h('span', { class: 'dot', '--dot': colour });
  const link = (text, go) => h('button', { type: 'button', class: 'link', onclick: go }, bdi(text));
  const tool = (text, go) => h('button', { type: 'button', onclick: go }, text);
  const head = (titles, isNumber) => h('thead', null, h('tr', null,
    titles.map((title, n) => h('th', { scope: 'col', class: isNumber && isNumber(n) ? 'num' : null }, title))));

  // ---- words ----------------------------------------------------------------------------------
  const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
  const tenth = new Intl.NumberFormat('en', { minimumFractionDigits: 1, maximumFractionDigits: 1 });
  const count = (n, one, many) => `${whole.format(n)} ${n === 1 ? one : many || one + 's'}`;
  const percent = (share) => `${whole.format(100 * share)} %`;
  const km = (m) => (m < 99500 ? tenth : whole).format(m / 1000);
  const hours = (s) => (Math.abs(s) < 359820 ? tenth : whole).format(s / 3600);
  const two = (n) => String(n).padStart(2, '0');
  function clock(s) {
    const day = Math.floor(s / 86400), m = Math.floor((s - 86400 * day) / 60);
    return `${two(Math.floor(m / 60))}:${two(m % 60)}${day ? ` ${day > 0 ? '+' : '−'}${Math.abs(day)} d` : ''}`;
  }
  function span(s) {
    const m = Math.round(s / 60);
    if (m === 0 && s > 0) return '<1 min';
    return m < 60 ? `${m} min` : `${Math.floor(m / 60)} h ${two(m % 60)}`;
  }
  const START = Date.parse(`${D.start}T00:00:00Z`);
  const dateOf = (day) => new Date(START + day * 864e5);
  const written = (options) => {
    const format = new Intl.DateTimeFormat('en-GB', { timeZone: 'UTC', ...options });
    return (day) => format.format(dateOf(day));
  };
  const longDay = written({ weekday: 'short', day: 'numeric', month: 'short', year: 'numeric' });
  const shortDay = written({ weekday: 'short', day: 'numeric', month: 'short' });
  const dayMonth = written({ day: 'numeric', month: 'short' });
  const dayName = written({ weekday: 'short' });
  const weekday = (day) => (dateOf(day).getUTCDay() + 6) % 7;

  function isoWeek(day) {
    const thursday = dateOf(day - weekday(day) + 3);
    return 1 + Math.floor((thursday - Date.UTC(thursday.getUTCFullYear(), 0, 1)) / 6048e5);
  }
  const ENDED = { time_limit: 'time limit', optimal: 'proven optimal' };
  const ended = (status) => ENDED[status] || status.replace('_', ' ');

  // ---- the plan -------------------------------------------------------------------------------
  const A = D.areas, R = D.routes, S = R.stops, U = D.unassigned;
  const nAreas = A.rep.length, nRoutes = R.rep.length;
  const named = (table, i) => (table.name && table.name[i]) || table.id[i];
  const repName = (r) => (r < 0 ? '' : named(D.reps, r));
  const areaName = (a) => A.id[a] || repName(A.rep[a]);
  const areaLabel = (a) => (A.id[a] && A.rep[a] >= 0 && A.id[a] !== repName(A.rep[a]) ? `${A.id[a]} · ${repName(A.rep[a])}` : areaName(a));
  const whom = (c) => td(bdi(named(D.customers, c)),
    named(D.customers, c) === D.customers.id[c] ? null : h('bdi', { class: 'id' }, D.customers.id[c]));
  const areaOfRep = new Map();
  A.rep.forEach((r, a) => { if (r >= 0 && !areaOfRep.has(r)) areaOfRep.set(r, a); });
  const routeAt = new Map(), routesOfRep = new Map(), routesOfDay = new Map();
  const push = (map, key, value) => (map.has(key) ? map.get(key).push(value) : map.set(key, [value]));
  for (let i = 0; i < nRoutes; i += 1) {
    routeAt.set(R.rep[i] * D.days + R.day[i], i);
    push(routesOfRep, R.rep[i], i);
    push(routesOfDay, R.day[i], i);
  }
  const shift = (r, day) => D.reps.shifts[D.reps.shift[r]][day];
  const visitsOf = (i) => R.stop[i + 1] - R.stop[i];
  const worked = (i) => R.back[i] - R.leave[i];
  const sum = (items, value) => items.reduce((total, item) => total + value(item), 0);
  const days = Array.from({ length: D.days }, (_, day) => day);
  const everyRep = D.reps.id.map((_, r) => r);
  const workdays = days.filter((day) => routesOfDay.has(day) || everyRep.some((r) => shift(r, day) !== 0));
  const paid = (reps, when) => sum(reps, (r) => sum(when, (day) => Math.max(0, shift(r, day))));
  function figures(routes, reps, when) {
    const available = paid(reps, when), work = sum(routes, worked);
    return {
      visits: sum(routes, visitsOf), drive: sum(routes, (i) => R.drive[i]), distance: sum(routes, (i) => R.distance[i]),
      work, load: available > 0 ? work / available : null,
    };
  }
  const totals = A.rep.map((r) => (r < 0 ? figures([], [], days) : figures(routesOfRep.get(r) || [], [r], days)));
  const customersOf = Array.from({ length: nAreas }, () => []);
  D.customers.area.forEach((a, c) => { if (a >= 0) customersOf[a].push(c); });

  const state = { area: ALL, day: ALL };
  const rep = () => (state.area === ALL ? ALL : A.rep[state.area]);
  const route = () => (state.area === ALL || state.day === ALL ? undefined : routeAt.get(rep() * D.days + state.day));

  // ---- header ---------------------------------------------------------------------------------
  function header() {
    const s = D.summary, all = figures([...R.rep.keys()], everyRep, days);
    $('title').textContent = D.days > 1 ? `${dayMonth(0)} – ${longDay(D.days - 1).replace(/^\S+ /, '')}` : longDay(0);
    $('facts').textContent = [count(s.reps, 'rep'), count(s.customers, 'customer'), count(workdays.length, 'working day'),
      ended(s.status)].join(' · ');
    const reasons = Object.entries(s.unassigned_by_reason).sort((a, b) => b[1] - a[1]);
    const figure = (name, value, note) => h('div', null, h('dt', null, name), h('dd', null, value, note ? h('small', null, note) : null));
    $('figures').append(
      figure('Visits', whole.format(all.visits), `on ${count(nRoutes, 'route')}`),
      figure('Driving', `${whole.format(all.drive / 3600)} h`, all.visits ? `${tenth.format(all.drive / 60 / all.visits)} min a visit` : null),
      figure('Distance', `${whole.format(all.distance / 1000)} km`, all.visits ? `${tenth.format(all.distance / 1000 / all.visits)} km a visit` : null),
      figure('Utilisation', all.load === null ? '–' : percent(all.load), 'time out of shift time'),
      figure('Not planned', whole.format(U.customer.length),
        reasons.length ? `${reasons[0][0]} ${reasons[0][1]}${reasons.length > 1 ? `, ${count(reasons.length - 1, 'other reason')}` : ''}` : 'nothing left out'),
      s.gap === null ? figure('Order of stops', '–', 'no bound computed')
        : figure('Order of stops', `≤ ${tenth.format(100 * s.gap)} %`, 'to save on these days, proven'));
  }

  // ---- choosing -------------------------------------------------------------------------------
  function choose(area, day) {
    state.area = area;
    state.day = day;
    let hash = '';
    if (area !== ALL) hash += `a=${area}`;
    if (day !== ALL) hash += `${hash && '&'}d=${day}`;
    history.replaceState(null, '', `#${hash}`);
    render();
    map.fit();
    map.draw();
  }
  function fromHash() {
    const asked = new URLSearchParams(location.hash.slice(1));
    const read = (name, end) => { const v = Number(asked.get(name) ?? ALL); return Number.isInteger(v) && v >= 0 && v < end ? v : ALL; };
    state.area = read('a', nAreas);
    state.day = read('d', D.days);
  }
  function bar() {
    $('pick-area-name').textContent = A.rings ? 'Territory' : 'Rep';
    const areas = $('pick-area'), order = A.rep.map((_, a) => a).sort((a, b) => areaLabel(a).localeCompare(areaLabel(b), 'en', { numeric: true }));
    areas.append(h('option', { value: ALL }, A.rings ? 'All territories' : 'All reps'), ...order.map((a) => h('option', { value: a }, areaLabel(a))));
    $('pick-day').append(h('option', { value: ALL }, 'All days'), ...workdays.map((day) => h('option', { value: day }, shortDay(day))));
    areas.addEventListener('change', () => choose(Number(areas.value), state.day));
    $('pick-day').addEventListener('change', () => choose(state.area, Number($('pick-day').value)));
    $('clear').addEventListener('click', () => choose(ALL, ALL));
    const step = (by) => () => {
      const at = workdays.indexOf(state.day), next = at < 0 ? (by > 0 ? 0 : workdays.length - 1) : at + by;
      if (workdays[next] !== undefined) choose(state.area, workdays[next]);
    };
    $('day-before').addEventListener('click', step(-1));
    $('day-after').addEventListener('click', step(1));
  }
  function render() {
    $('pick-area').value = String(state.area);
    $('pick-day').value = String(state.day);
    $('clear').disabled = state.area === ALL && state.day === ALL;
    $('day-before').disabled = workdays.length === 0 || state.day === workdays[0];
    $('day-after').disabled = workdays.length === 0 || state.day === workdays[workdays.length - 1];
    calendar();
    sheet();
    singles();
    unplanned();
    document.querySelectorAll('#areas tbody tr').forEach((tr) => tr.classList.toggle('chosen', Number(tr.dataset.area) === state.area));
    document.querySelectorAll('#team td button').forEach((b) => b.setAttribute('aria-pressed',
      String(Number(b.dataset.area) === state.area && Number(b.dataset.day) === state.day)));
    const routes = chosenRoutes();
    $('where').textContent = [count(sum(routes, visitsOf), 'visit'),
      `${km(sum(routes, (i) => R.distance[i]))} km`, `${hours(sum(routes, (i) => R.drive[i]))} h driving`].join(', ');
  }
  function chosenRoutes() {
    if (state.area !== ALL) return (routesOfRep.get(rep()) || []).filter((i) => state.day === ALL || R.day[i] === state.day);
    return state.day === ALL ? [...R.rep.keys()] : routesOfDay.get(state.day) || [];
  }

  // ---- calendar and sheets --------------------------------------------------------------------
  function calendar() {
    const reps = state.area === ALL ? everyRep : rep() < 0 ? [] : [rep()];
    const total = state.area === ALL ? null : totals[state.area];
    const title = state.area === ALL ? ['The whole team'] : [dot(A.colour[state.area]), bdi(areaLabel(state.area))];
    $('panel-head').replaceChildren(...title);
    $('panel-facts').textContent = total === null ? `Choose a ${A.rings ? 'territory' : 'rep'} on the map or in a table, and a day.`
      : [count(A.customers[state.area], 'customer'), count(total.visits, 'visit'), `${hours(total.drive)} h driving`, `${km(total.distance)} km`,
        total.load === null ? null : `${percent(total.load)} utilised`].filter(Boolean).join(' · ');
    const columns = [...new Set(workdays.map(weekday))].sort();
    const weeks = new Map();
    workdays.forEach((day) => push(weeks, Math.floor((day + weekday(0)) / 7), day));
    const cells = [h('span'), ...columns.map((c) => h('span', { class: 'head' }, dayName((c - weekday(0) + 7) % 7)))];
    for (const inWeek of weeks.values()) {
      cells.push(h('span', { class: 'week', title: 'ISO week' }, `W${isoWeek(inWeek[0])}`));
      for (const c of columns) {
        const day = inWeek.find((d) => weekday(d) === c);
        cells.push(day === undefined ? h('span') : dayCell(day, reps));
      }
    }
    const grid = h('div', { class: 'month' }, cells);
    grid.style.gridTemplateColumns = `auto repeat(${columns.length}, minmax(0, 1fr))`;
    $('calendar').replaceChildren(grid);
  }
  function dayCell(day, reps) {
    const routes = (routesOfDay.get(day) || []).filter((i) => state.area === ALL || R.rep[i] === rep());
    const f = figures(routes, reps, [day]), away = reps.length > 0 && reps.every((r) => shift(r, day) < 0);
    const said = `${longDay(day)}: ${count(f.visits, 'visit')}${f.load === null ? (away ? ', off' : '') : `, ${percent(f.load)} of the shift`}`;
    const kind = `day${f.visits ? '' : ' none'}${away && !f.visits ? ' off' : ''}${f.load > 1 || (f.visits && f.load === null) ? ' over' : ''}`;
    return h('button', { type: 'button', class: kind, 'data-day': day, title: said, 'aria-label': said, 'aria-pressed': String(day === state.day),
      onclick: () => choose(state.area, day === state.day ? ALL : day) },
      h('span', { class: 'date' }, dayMonth(day)), h('span', { class: 'n' }, f.visits ? whole.format(f.visits) : away ? 'off' : '–'),
      f.visits ? h('span', { class: 'load', '--load': f.load === null ? 100 : Math.round(100 * f.load) }) : null);
  }
  function sheet() {
    const box = $('sheet'), i = route();
    if (i !== undefined) box.replaceChildren(...routeSheet(i, true));
    else if (state.area !== ALL || state.day !== ALL) box.replaceChildren(routeList());
    else box.replaceChildren(busiest());
  }
  function sheetFacts(i) {
    const facts = [count(visitsOf(i), 'visit'), `${clock(R.leave[i])}–${clock(R.back[i])}`, `${span(R.drive[i])} driving`, `${km(R.distance[i])} km`];
    if (R.bound[i] !== null && R.drive[i] > 0) {
      facts.push(R.bound[i] >= R.drive[i] ? 'shortest proven' : `≤ ${tenth.format(100 * (1 - R.bound[i] / R.drive[i]))} % to save`);
    }
    return facts.join(' · ');
  }
  function routeSheet(i, onScreen) {
    const a = areaOfRep.get(R.rep[i]), rows = [], pause = R.break[i];
    let rested = pause === null, spent = 0, far = 0;
    const line = (time, until, drive, distance, what) => rows.push(h('tr', { class: 'pause' },
      td(), td(clock(time)), td(until), num(drive), num(distance), td(what)));
    const rest = () => {
      rested = true;
      line(pause, `–${clock(pause + R.break_s[i])}`, '', '', 'Break');
    };
    line(R.leave[i], '', '', '', 'Leave');
    for (let s = R.stop[i]; s < R.stop[i + 1]; s += 1) {
      const begin = S.arrival[s] + S.wait[s];
      if (!rested && pause < begin) rest();
      spent += S.drive[s];
      far += S.distance[s];
      rows.push(h('tr', { 'data-stop': s, onmouseenter: () => map.hot(s), onmouseleave: () => map.hot(null) },
        td(h('span', { class: 'pin', '--dot': shade(A.colour[a]) }, String(s - R.stop[i] + 1))), td(clock(S.arrival[s])),
        td(`${clock(begin)}–${clock(begin + S.visit[s])}`), num(span(S.drive[s])), num(km(S.distance[s])), whom(S.customer[s])));
    }
    if (!rested) rest();
    line(R.back[i], '', span(R.drive[i] - spent), km(R.distance[i] - far), 'Back');
    const tools = h('div', { class: 'sheet-tools' },
      tool('Print day', () => print([i])), tool('Print all days', () => print(routesOfRep.get(R.rep[i]))));
    return [
      h('div', { class: 'sheet-head' }, h('h3', null, longDay(R.day[i])), onScreen ? tools : null),
      h('p', { class: 'muted' }, sheetFacts(i)),
      h('table', { class: 'sheet' }, head(['#', 'Arrive', 'Visit', 'Drive', 'km', 'Customer'], (n) => n === 3 || n === 4), h('tbody', null, rows))];
  }
  function routeList() {
    const routes = chosenRoutes(), byRep = state.area === ALL;
    if (!routes.length) return h('p', { class: 'muted' }, !byRep && rep() < 0 ? 'No rep serves this territory.' : 'No visits are planned.');
    const open = (i) => link(byRep ? repName(R.rep[i]) : shortDay(R.day[i]), () => choose(areaOfRep.get(R.rep[i]), R.day[i]));
    const rows = routes.map((i) => h('tr', null, td(open(i)), num(whole.format(visitsOf(i))),
      num(`${clock(R.leave[i])}–${clock(R.back[i])}`), num(span(R.drive[i])), num(km(R.distance[i]))));
    return h('div', null,
      h('div', { class: 'sheet-head' }, h('h3', null, byRep ? longDay(state.day) : 'Days'),
        h('div', { class: 'sheet-tools' }, tool(`Print ${count(routes.length, 'sheet')}`, () => print(routes)))),
      h('table', { class: 'sheet day-list' },
        head([byRep ? 'Rep' : 'Day', 'Visits', 'Out', 'Driving', 'km'], (n) => n > 0), h('tbody', null, rows)));
  }
  function busiest() {
    const full = (i) => worked(i) / shift(R.rep[i], R.day[i]);
    const order = [...R.rep.keys()].filter((i) => shift(R.rep[i], R.day[i]) > 0).sort((i, j) => full(j) - full(i)).slice(0, 8);
    if (!order.length) return h('p', { class: 'muted' }, 'No visits are planned.');
    const rows = order.map((i) => h('tr', null, td(link(repName(R.rep[i]), () => choose(areaOfRep.get(R.rep[i]), R.day[i]))),
      td(shortDay(R.day[i])), num(count(visitsOf(i), 'visit')), num(percent(full(i)))));
    return h('div', null, h('h3', null, 'Fullest days'), h('table', { class: 'sheet day-list' }, h('tbody', null, rows)));
  }
  function print(routes) {
    $('print').replaceChildren(...routes.map((i) => h('article', null, h('h2', null, bdi(repName(R.rep[i]))), routeSheet(i, false))));
    document.body.classList.add('sheets');
    window.print();
  }
  window.addEventListener('afterprint', () => { document.body.classList.remove('sheets'); $('print').replaceChildren(); });

  // ---- table of territories -------------------------------------------------------------------
  function areasTable() {
    const M = A.measure, hasAreas = Boolean(A.rings), blank = '–';
    const known = M ? M.total.filter((v) => v !== null) : [];
    const mean = known.length ? sum(known, (v) => v) / known.length : 0;
    const target = (a) => (M.total[a] === null ? null : M.target ? M.target[a] : mean);
    const deviation = A.rep.map((_, a) => { const t = M ? target(a) : null; return t ? M.total[a] / t - 1 : null; });
    const widest = Math.max(0.01, M && M.balance ? 1.5 * M.balance : 0, ...deviation.map((v) => Math.abs(v || 0)));
    const unit = M && (M.unit === 'h/week' ? 'Workload, h/week' : M.name === 'count' ? null : M.unit === 'h' ? `${M.name}, h` : M.name);
    const outside = (v) => M.balance !== null && Math.abs(v) > M.balance + 1e-9;
    const bar = (v) => (v === null ? blank : h('div', {
      class: outside(v) ? 'dev out' : 'dev', '--dev': 100 * v / widest, '--band': M.balance ? 100 * M.balance / widest : 0,
    }, h('span', { class: 'track' }, h('span', { class: 'band' }), h('span', { class: 'fill' })),
    `${v < 0 ? '−' : '+'}${tenth.format(Math.abs(100 * v))} %`));
    const part = (v) => (v === null ? blank : h('span', { class: 'share', '--part': Math.min(100, 100 * v) }, h('i'), percent(v)));
    const columns = [
      [hasAreas ? 'Territory' : 'Rep', (a) => areaName(a), (a) => td(dot(A.colour[a]), link(areaName(a), () => choose(a === state.area ? ALL : a, state.day)))],
      hasAreas && ['Rep', (a) => repName(A.rep[a]), (a) => td(A.rep[a] < 0 ? blank : bdi(repName(A.rep[a])))],
      ['Customers', (a) => A.customers[a], (a) => num(whole.format(A.customers[a]))],
      unit && [unit, (a) => M.total[a], (a) => num(M.total[a] === null ? blank : tenth.format(M.total[a]))],
      M && [M.target ? 'Off target' : 'Off mean', (a) => deviation[a], (a) => h('td', { class: 'num' }, bar(deviation[a]))],
      ['Visits', (a) => totals[a].visits, (a) => num(whole.format(totals[a].visits))],
      ['Driving, h', (a) => totals[a].drive, (a) => num(hours(totals[a].drive))],
      ['km', (a) => totals[a].distance, (a) => num(km(totals[a].distance))],
      ['Utilisation', (a) => totals[a].load, (a) => h('td', { class: 'num' }, part(totals[a].load))],
    ].filter(Boolean);
    const body = h('tbody');
    let sorted = 0, up = true;
    const heads = columns.map(([title], n) => h('th', { scope: 'col', class: n > (hasAreas ? 1 : 0) ? 'num' : null },
      h('button', { type: 'button', onclick: () => { up = n === sorted ? !up : n < (hasAreas ? 2 : 1); sorted = n; fill(); } }, title)));
    function fill() {
      const key = columns[sorted][1], last = (v) => v === null;
      const compare = (a, b) => {
        const x = key(a), y = key(b);
        if (last(x) || last(y)) return last(x) - last(y) || a - b;
        return (up ? 1 : -1) * (typeof x === 'string' ? x.localeCompare(y, 'en', { numeric: true }) : x - y) || a - b;
      };
      heads.forEach((th, n) => (n === sorted ? th.setAttribute('aria-sort', up ? 'ascending' : 'descending') : th.removeAttribute('aria-sort')));
      const row = (a) => h('tr', { 'data-area': a, class: a === state.area ? 'chosen' : null }, columns.map((c) => c[2](a)));
      body.replaceChildren(...A.rep.map((_, a) => a).sort(compare).map(row));
    }
    fill();
    $('areas').append(h('thead', null, h('tr', null, heads)), body);
    $('areas-head').textContent = hasAreas ? 'Territories' : 'Reps';
    $('areas-note').textContent = !hasAreas ? 'This plan was made without an alignment of territories.'
      : [count(A.rings.length - A.id.filter((t) => !t).length, 'territory', 'territories'),
        M.balance ? `allowed ±${percent(M.balance)} of the target, the shaded band` : null,
        `design ${ended(A.status)}`,
        A.gap === null ? null : `compactness at most ${tenth.format(100 * A.gap)} % from the best for these centres`].filter(Boolean).join(' · ');
  }

  // ---- team calendar --------------------------------------------------------------------------
  function team() {
    const rows = [...areaOfRep.entries()].map(([r, a]) => [r, a]).sort((x, y) => repName(x[0]).localeCompare(repName(y[0]), 'en', { numeric: true }));
    const monday = (day, n) => (n && weekday(day) < weekday(workdays[n - 1]) ? 'monday' : null);
    const dates = h('tr', null, td(), workdays.map((day, n) => h('th', { scope: 'col', class: monday(day, n) },
      dayName(day).slice(0, 2), h('br'), String(dateOf(day).getUTCDate()))));
    const cell = ([r, a], day, n) => {
      const i = routeAt.get(r * D.days + day), s = shift(r, day), visits = i === undefined ? 0 : visitsOf(i);
      const load = i === undefined || s <= 0 ? 0 : worked(i) / s;
      const of = s > 0 ? `, ${percent(load)} of the shift` : ', outside any shift';
      const said = `${repName(r)}, ${shortDay(day)}: ${visits ? count(visits, 'visit') + of : s < 0 ? 'off' : 'no visits'}`;
      const kind = visits ? (load > 1 || s <= 0 ? 'over' : null) : s < 0 ? 'off' : null;
      return h('td', { class: monday(day, n) }, h('button', {
        type: 'button', tabindex: -1, class: kind, '--load': Math.round(100 * Math.min(1, load)),
        'data-area': a, 'data-day': day, title: said, 'aria-label': said,
      }, visits ? String(visits) : s < 0 ? '' : '·'));
    };
    const name = ([r, a]) => h('th', { scope: 'row' },
      h('button', { type: 'button', class: 'link', title: repName(r), 'data-area': a, 'data-day': ALL }, bdi(repName(r))));
    const body = h('tbody', null, rows.map((row) => h('tr', null, name(row), workdays.map((day, n) => cell(row, day, n)))));
    body.addEventListener('click', (event) => {
      const b = event.target.closest('button');
      if (!b) return;
      choose(Number(b.dataset.area), Number(b.dataset.day));
      document.querySelector('.split').scrollIntoView({ block: 'nearest' });
    });
    const moves = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };
    body.addEventListener('keydown', (event) => {
      const td = event.target.closest('td'), move = moves[event.key];
      if (!td || !move) return;
      const tr = body.rows[td.parentNode.sectionRowIndex + move[0]], next = tr && tr.cells[td.cellIndex + move[1]];
      if (!next || next.tagName !== 'TD') return;
      event.preventDefault();
      event.target.tabIndex = -1;
      next.firstChild.tabIndex = 0;
      next.firstChild.focus();
    });
    const first = body.querySelector('td button');
    if (first) first.tabIndex = 0;
    $('team').style.setProperty('--days', workdays.length);
    $('team').append(h('thead', null, dates), body);
  }

  // ---- not planned, notes ---------------------------------------------------------------------
  const listing = { reason: ALL, shown: 100 };
  function unplanned() {
    const mine = (i) => D.customers.area[U.customer[i]] === state.area || (U.rep[i] >= 0 && U.rep[i] === rep());
    const inArea = [...U.customer.keys()].filter((i) => state.area === ALL || mine(i));
    const pick = (reason) => () => {
      listing.reason = reason;
      listing.shown = 100;
      unplanned();
      document.querySelector(`#reasons [data-reason="${reason}"]`).focus();
    };
    const chip = (reason, title, n) => h('button', {
      type: 'button', 'data-reason': reason, 'aria-pressed': String(listing.reason === reason), onclick: pick(reason),
    }, `${title} ${whole.format(n)}`);
    const chips = U.reasons.map((title, r) => chip(r, title, inArea.filter((i) => U.reason[i] === r).length));
    $('reasons').replaceChildren(...(chips.length ? [chip(ALL, 'All', inArea.length), ...chips] : []));
    const rows = inArea.filter((i) => listing.reason === ALL || U.reason[i] === listing.reason);
    const line = (i) => h('tr', null, whom(U.customer[i]), td(bdi(repName(U.rep[i]) || '–')), td(shortDay(U.due[i])),
      td(U.reasons[U.reason[i]]), td(bdi(U.details[U.detail[i]])));
    const where = state.area === ALL ? '' : ` in ${areaLabel(state.area)}`;
    if (!rows.length) {
      const all = listing.reason === ALL ? `Every visit that is due${where} is planned.` : `No visit${where} is left out for this reason.`;
      $('unplanned').replaceChildren(h('p', { class: 'muted' }, all));
      return;
    }
    const more = tool(`Show more of ${whole.format(rows.length)}`, () => { listing.shown += 400; unplanned(); });
    more.className = 'more';
    $('unplanned').replaceChildren(
      h('p', { class: 'muted' }, `${count(rows.length, 'visit')}${where}`),
      h('div', { class: 'scroll' }, h('table', { class: 'data' },
        head(['Customer', 'Rep', 'Due', 'Reason', 'Why']), h('tbody', null, rows.slice(0, listing.shown).map(line)))),
      ...(rows.length > listing.shown ? [more] : []));
  }
  const promised = { shown: 100 };
  function singles() {
    const T = D.singles;
    $('singles-card').hidden = !T;
    if (!T) return;
    const mine = (i) => D.customers.area[T.customer[i]] === state.area || T.reps[i].includes(rep());
    const rows = [...T.day.keys()].filter((i) => (state.area === ALL || mine(i)) && (state.day === ALL || T.day[i] === state.day));
    const when = (i) => td(shortDay(T.day[i]), T.time[i] === null ? null : `, ${clock(T.time[i])}`);
    const who = (i) => td(bdi(T.reps[i].map(repName).join(', ') || '–'));
    const why = (i) => (T.time[i] === null
      ? td(h('strong', null, `not planned: ${T.reason[i]}`), ' ', bdi(T.detail[i]),
        T.change[i] ? h('span', { class: 'muted' }, ' Smallest change: ', bdi(T.change[i])) : null)
      : td('planned'));
    const line = (i) => h('tr', null, when(i), who(i), whom(T.customer[i]), td(T.kind[i]), td(T.promise[i]), why(i));
    const left = rows.filter((i) => T.time[i] === null).length;
    const more = tool(`Show more of ${whole.format(rows.length)}`, () => { promised.shown += 400; singles(); });
    more.className = 'more';
    $('singles').replaceChildren(
      h('p', { class: 'muted' }, `${count(rows.length, 'visit')}, ${left ? `${whole.format(left)} not planned` : 'all planned'}`),
      h('div', { class: 'scroll' }, h('table', { class: 'data' },
        head(['When', 'Rep', 'Customer', 'Kind', 'Promise', 'Planned']), h('tbody', null, rows.slice(0, promised.shown).map(line)))),
      ...(rows.length > promised.shown ? [more] : []));
  }
  function notes() {
    const note = (n) => h('li', null, h('code', null, n.code), `${n.of}: `, bdi(n.text), n.hint ? h('span', { class: 'muted' }, ` ${n.hint}`) : null);
    $('notes').append(...(D.notes.length ? D.notes.map(note) : [h('li', { class: 'muted' }, 'No warnings.')]));
  }

  // ---- map ------------------------------------------------------------------------------------
  /** A colour that white figures can be read on. */
  function shade(colour) {
    const rgb = [1, 3, 5].map((i) => parseInt(colour.slice(i, i + 2), 16));
    const light = (0.3 * rgb[0] + 0.59 * rgb[1] + 0.11 * rgb[2]) / 255, by = light > 0.45 ? 0.45 / light : 1;
    return `rgb(${rgb.map((v) => Math.round(v * by)).join(',')})`;
  }
  const map = makeMap({
    D, A, R, S, ALL, $, h, bdi, push, clock, span, named, state, rep, route, choose, chosenRoutes,
    repName, areaLabel, areaOfRep, customersOf, everyRep, nAreas, visitsOf, shade,
  });

  $('drawn').textContent = D.streets ? 'Legs are drawn along roads.' : 'Legs are drawn as straight lines.';
  header();
  bar();
  areasTable();
  team();
  notes();
  fromHash();
  render();
  map.start();
  window.addEventListener('hashchange', () => { fromHash(); render(); map.fit(); map.draw(); });
})();
