// The one script of the pages. A page is whole without it; this keeps it up to date, takes actions, and listens to keys.
// Text from agents reaches the page as HTML that the server has encoded, or by textContent.

const tokenKey = 'colibri-token';
const leastGap = 250;
const slowGap = 1000;
const slowParts = new Set(['tasks', 'list', 'stopped', 'days', 'providers']);

// The token comes once, in the fragment, which no server is sent. It is kept for this tab.
function takeToken() {
  const given = /^#token=([\w.~+/=-]+)$/.exec(location.hash);
  if (given) {
    sessionStorage.setItem(tokenKey, given[1]);
    history.replaceState(null, '', location.pathname + location.search);
  }
}

function withToken(headers = {}) {
  const token = sessionStorage.getItem(tokenKey);
  return token ? { ...headers, Authorization: `Bearer ${token}` } : headers;
}

const byId = (id) => document.getElementById(id);
const all = (selector, within = document) => [...within.querySelectorAll(selector)];

function element(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

// ---- Server-sent events over fetch, because EventSource cannot send a token.

async function stream(address, taken, signal) {
  const response = await fetch(address, { headers: withToken({ Accept: 'text/event-stream' }), signal, cache: 'no-store' });
  if (!response.ok) throw Object.assign(new Error(`status ${response.status}`), { status: response.status });
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  taken('open', '');
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const messages = (rest + value).split('\n\n');
    rest = messages.pop();
    for (const message of messages) {
      const lines = message.split('\n');
      const name = lines.find((line) => line.startsWith('event: '))?.slice(7);
      if (name) taken(name, lines.filter((line) => line.startsWith('data: ')).map((line) => line.slice(6)).join('\n'));
    }
  }
}

const streams = [];

/** Keeps a stream open while the page is seen: six connections are all that a browser has for one server. */
function keepOpen(address, taken, changed) {
  let abort = null;
  let wait = 500;
  let timer = 0;
  const open = async () => {
    clearTimeout(timer);
    if (abort || document.hidden || paused) return;
    abort = new AbortController();
    let status = 0;
    try {
      await stream(address(), (name, data) => { wait = 500; taken(name, data); }, abort.signal);
    } catch (failure) {
      status = failure.status ?? 0;
    }
    abort = null;
    if (document.hidden || paused) return;
    changed(status);
    timer = setTimeout(open, status === 503 ? 30000 : wait);
    wait = Math.min(wait * 2, 10000);
  };
  const close = () => { clearTimeout(timer); abort?.abort(); };
  document.addEventListener('visibilitychange', () => (document.hidden ? close() : open()));
  const kept = { open, close };
  streams.push(kept);
  return kept;
}

// ---- Parts of the page

let paused = false;
const dirty = new Set();
const latest = new Map();
let fetching = false;
let timer = 0;

const partsOf = () => all('[data-part]');

/** A person is writing in it: it is replaced afterwards. */
function isInUse(part) {
  const active = document.activeElement;
  if (active && part.contains(active) && active.matches('input:not([type=hidden]), textarea, select')) return true;
  return all('textarea, input:not([type=hidden])', part).some((input) => input.value !== input.defaultValue);
}

function markDirty({ all: everything, changed }) {
  const topics = new Set(changed);
  for (const part of partsOf()) {
    const on = part.dataset.on?.split(' ') ?? [];
    if (on.length > 0 && (everything || on.some((topic) => topics.has(topic)))) dirty.add(part.dataset.part);
  }
  schedule();
}

function schedule() {
  if (fetching || dirty.size === 0 || paused) return;
  // Anew each time: a part that may be shown at once must not wait with one that is slow.
  clearTimeout(timer);
  const now = performance.now();
  const waits = [...dirty].map((name) => (latest.get(name) ?? -Infinity) + (slowParts.has(name) ? slowGap : leastGap) - now);
  timer = setTimeout(() => { timer = 0; refresh(); }, Math.max(0, Math.min(...waits)));
}

async function refresh() {
  const now = performance.now();
  const names = [...dirty].filter((name) => now - (latest.get(name) ?? -Infinity) >= (slowParts.has(name) ? slowGap : leastGap) - 1);
  names.forEach((name) => { dirty.delete(name); latest.set(name, now); });
  fetching = true;
  try {
    const address = new URL(location.href);
    address.hash = '';
    address.searchParams.set('_parts', names.join(','));
    const response = await fetch(address, { headers: withToken({ Accept: 'text/html' }), cache: 'no-store' });
    const made = new DOMParser().parseFromString(await response.text(), 'text/html');
    for (const part of all('[data-part]', made)) replace(part);
  } catch {
    names.forEach((name) => dirty.add(name));
    await new Promise((done) => setTimeout(done, slowGap));
  } finally {
    fetching = false;
    schedule();
  }
}

function replace(made) {
  const old = document.querySelector(`[data-part="${CSS.escape(made.dataset.part)}"]`);
  if (!old) return;
  if (isInUse(old)) {
    dirty.add(made.dataset.part);
    return;
  }
  const opened = new Set(all('details[id][open]', old).map((details) => details.id));
  const current = old.querySelector('.current')?.querySelector('a[data-go]')?.getAttribute('href');
  for (const details of all('details[id]', made)) if (opened.has(details.id)) details.open = true;
  if (current) all('a[data-go]', made).find((link) => link.getAttribute('href') === current)?.closest('[data-row]')?.classList.add('current');
  showAges(made);
  become(old, made);
}

// Changes what differs and leaves the rest: of a table in which numbers run, a few texts. What has the focus, or was unfolded or scrolled, stays so.
function become(old, made) {
  if (old.nodeType !== made.nodeType || old.nodeName !== made.nodeName || old.id !== made.id) {
    old.replaceWith(document.importNode(made, true));
    return;
  }
  if (old.nodeType !== Node.ELEMENT_NODE) {
    if (old.data !== made.data) old.data = made.data;
    return;
  }
  for (const { name } of [...old.attributes]) if (!made.hasAttribute(name)) old.removeAttribute(name);
  for (const { name, value } of made.attributes) if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  const [from, to] = [[...old.childNodes], [...made.childNodes]];
  for (let at = 0; at < to.length; at++) {
    if (at < from.length) become(from[at], to[at]);
    else old.append(document.importNode(to[at], true));
  }
  for (const left of from.slice(to.length)) left.remove();
}

// ---- Live or not

function showState(words) {
  const state = byId('live-state');
  if (state && state.textContent !== words) state.textContent = words;
}

const topics = () => [...new Set(partsOf().flatMap((part) => part.dataset.on?.split(' ') ?? []))].join(',');

const events = keepOpen(() => `/events?on=${encodeURIComponent(topics())}`, (name, data) => {
  if (name === 'open') {
    showState('live');
    // What has changed while the stream was not open is not told.
    markDirty({ all: true, changed: [] });
  } else {
    markDirty(JSON.parse(data));
  }
}, (status) => showState(status === 503 ? 'not live: 64 pages are open' : status === 401 ? 'not live: the token is missing' : 'not live: trying again'));

function pause() {
  paused = !paused;
  const button = byId('pause');
  button.setAttribute('aria-pressed', String(paused));
  button.textContent = paused ? 'Go on with live updates' : 'Pause live updates';
  if (paused) {
    streams.forEach((kept) => kept.close());
    showState('paused');
  } else {
    streams.forEach((kept) => kept.open());
  }
}

// ---- A session that is followed

function follow() {
  const list = document.querySelector('[data-follow]');
  if (!list) return;
  const address = new URL(list.dataset.follow, location.href);
  keepOpen(() => address, (name, data) => {
    if (name !== 'entry') return;
    const made = new DOMParser().parseFromString(`<ol>${data}</ol>`, 'text/html').querySelector('li');
    if (!made || byId(made.id)) return;
    const isAtEnd = innerHeight + scrollY >= document.body.scrollHeight - 80;
    list.append(document.importNode(made, true));
    while (list.children.length > 500) list.firstElementChild.remove();
    address.searchParams.set('from', String(Number(made.id.slice(1)) + 1));
    if (isAtEnd) list.lastElementChild.scrollIntoView({ block: 'end' });
    showAges();
  }, () => {}).open();
}

// ---- Ages

function duration(ms) {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (seconds < 60) return `${seconds}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes}m ${String(seconds % 60).padStart(2, '0')}s`;
  const hours = Math.floor(minutes / 60);
  return hours < 24 ? `${hours}h ${String(minutes % 60).padStart(2, '0')}m` : `${Math.floor(hours / 24)}d ${hours % 24}h`;
}

function showAges(within = document) {
  if (paused) return;
  const now = Date.now();
  for (const since of all('[data-since]', within)) {
    const words = duration(now - Date.parse(since.dataset.since));
    if (since.textContent !== words) since.textContent = words;
  }
  for (const time of all('time[datetime]', within)) {
    const age = now - Date.parse(time.dateTime);
    const words = Math.abs(age) < 1000 ? 'now' : age < 0 ? `in ${duration(-age)}` : `${duration(age)} ago`;
    if (time.textContent !== words) time.textContent = words;
  }
}

// ---- Actions

function dialog(...children) {
  const shown = element('dialog', {}, ...children);
  document.body.append(shown);
  shown.addEventListener('close', () => shown.remove());
  shown.showModal();
  return shown;
}

/** Asks before something is ended or destroyed. */
function confirmed(words, label, twin, style) {
  return new Promise((answer) => {
    const yes = element('button', { type: 'button', className: `yes ${style}`, textContent: label });
    const no = element('button', { type: 'button', textContent: 'No, leave it', autofocus: true });
    const shown = dialog(element('h2', { textContent: `${label}?` }), element('p', { textContent: words }), element('p', {}, element('code', { className: 'twin', textContent: twin })), element('p', { className: 'actions' }, no, yes));
    shown.setAttribute('aria-label', label);
    yes.addEventListener('click', () => { answer(true); shown.close(); });
    no.addEventListener('click', () => shown.close());
    shown.addEventListener('close', () => answer(false));
  });
}

function askToken(words) {
  return new Promise((answer) => {
    const input = element('input', { type: 'password', id: 'asked-token', autocomplete: 'off', required: true });
    const form = element('form', { method: 'dialog' }, element('h2', { textContent: 'Token' }), element('p', { textContent: words }),
      element('label', { htmlFor: 'asked-token', textContent: 'Token' }), input, element('p', { className: 'actions' }, element('button', { type: 'submit', textContent: 'Go on' })));
    const shown = dialog(form);
    shown.setAttribute('aria-label', 'Token');
    form.addEventListener('submit', () => { sessionStorage.setItem(tokenKey, input.value.trim()); answer(true); });
    shown.addEventListener('close', () => answer(false));
  });
}

function tell(words, isBad) {
  byId('toast')?.remove();
  const toast = element('p', { id: 'toast', className: isBad ? 'bad' : 'good', textContent: words });
  toast.setAttribute('role', isBad ? 'alert' : 'status');
  document.body.append(toast);
  setTimeout(() => toast.remove(), isBad ? 15000 : 4000);
}

async function act(form, submitter) {
  const command = form.dataset.action;
  const label = submitter?.textContent ?? command;
  const twin = form.querySelector('.twin')?.textContent ?? '';
  if (form.dataset.confirm && !(await confirmed(form.dataset.confirm, label, twin, submitter?.className ?? ''))) return;
  if (!sessionStorage.getItem(tokenKey) && !(await askToken('Actions take the token. It is in the file of --token-file, and kept until this tab is closed.'))) return;
  const said = {};
  for (const [name, value] of new FormData(form)) said[name] = value === 'true' && (name === 'confirmed' || name === 'cancelled') ? true : value === 'false' && name === 'confirmed' ? false : value;
  submitter.disabled = true;
  try {
    const response = await fetch(`/api/${command}`, { method: 'POST', headers: withToken({ 'Content-Type': 'application/json' }), body: JSON.stringify(said) });
    const reply = await response.json();
    if (reply.ok) {
      form.reset();
      document.activeElement?.blur();
      tell(`${label}: done`, false);
    } else {
      if (response.status === 401) sessionStorage.removeItem(tokenKey);
      tell(`${label}: ${reply.message}`, true);
    }
  } catch {
    tell(`${label}: no answer from colibri-web`, true);
  } finally {
    submitter.disabled = false;
    markDirty({ all: true, changed: [] });
  }
}

// ---- Keys

const keys = [['/', 'filter'], ['j, k', 'next and previous row'], ['Enter', 'open the row'], ['n, N', 'next and previous that needs you'], ['p', 'pause live updates'], ['g then o t a i c', 'overview, tasks, agents, inbox, cost'], ['?', 'this list'], ['Esc', 'close, or leave the filter']];
const places = { o: '/', t: '/tasks', a: '/agents', i: '/inbox', c: '/cost' };
let isGoing = false;

function step(selector, by) {
  // What stands within another is stepped over with it.
  const rows = all(selector).filter((row) => !row.parentElement.closest(selector));
  if (rows.length === 0) return;
  const at = rows.findIndex((row) => row.classList.contains('current'));
  const next = rows[at < 0 ? (by > 0 ? 0 : rows.length - 1) : (at + by + rows.length) % rows.length];
  all('.current').forEach((row) => row.classList.remove('current'));
  next.classList.add('current');
  next.scrollIntoView({ block: 'nearest' });
  (next.querySelector('a[data-go]') ?? next.querySelector('button, a'))?.focus({ preventScroll: true });
}

function showKeys() {
  if (document.querySelector('dialog')) return;
  const list = element('dl', { className: 'keys' });
  for (const [key, words] of keys) list.append(element('div', {}, element('dt', {}, element('kbd', { textContent: key })), element('dd', { textContent: words })));
  const close = element('button', { type: 'button', textContent: 'Close' });
  const shown = dialog(element('h2', { textContent: 'Keys' }), list, close);
  shown.setAttribute('aria-label', 'Keys');
  close.addEventListener('click', () => shown.close());
}

function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector('dialog')) return;
  if (event.target.matches('input, textarea, select')) {
    if (event.key === 'Escape') event.target.blur();
    return;
  }
  if (isGoing) {
    isGoing = false;
    if (places[event.key]) location.assign(places[event.key]);
    return;
  }
  switch (event.key) {
    case '/': document.querySelector('[data-filter]')?.focus(); break;
    case 'j': step('[data-row]', 1); break;
    case 'k': step('[data-row]', -1); break;
    case 'n': step('[data-attention]', 1); break;
    case 'N': step('[data-attention]', -1); break;
    case 'Enter': {
      const row = document.querySelector('.current a[data-go]');
      if (!row || event.target.matches('a, button')) return;
      row.click();
      break;
    }
    case 'p': pause(); break;
    case 'g': isGoing = true; break;
    case '?': showKeys(); break;
    default: return;
  }
  event.preventDefault();
}

// ---- Charts

async function chart(holder) {
  try {
    const response = await fetch(holder.dataset.chart, { headers: withToken(), cache: 'no-store' });
    if (!response.ok) throw new Error(response.status);
    const data = await response.json();
    if (data.times.length === 0) {
      holder.replaceWith(element('p', { className: 'empty', textContent: 'There is nothing to draw yet.' }));
      return;
    }
    draw(holder, data);
  } catch {
    holder.replaceWith(element('p', { className: 'empty', textContent: 'The numbers of this chart cannot be had from this daemon.' }));
  }
}

// After Okabe and Ito, who chose them to differ for every kind of colour blindness; darker on a light ground, and lighter on a dark one. The rest is grey.
const palettes = {
  light: ['#0068a8', '#e08a00', '#00825f', '#c45f99', '#9c3a00', '#6b5b00', '#3a3f9e', '#4fa8de', '#767d85'],
  dark: ['#4aa8e8', '#f0b040', '#2fc59b', '#e59cc4', '#f0703a', '#f0e442', '#a9aef5', '#c4e6fa', '#9aa3ad'],
};
const isDark = matchMedia('(prefers-color-scheme: dark)');

function coloursOf(series) {
  const palette = palettes[isDark.matches ? 'dark' : 'light'];
  return series.map((each, index) => (each.name === 'the rest' ? palette.at(-1) : palette[index % (palette.length - 1)]));
}

// A day, or within days the time, in UTC.
function day(seconds, isDay) {
  const text = new Date(seconds * 1000).toISOString();
  return isDay ? text.slice(5, 10) : text.slice(11, 16) === '00:00' ? text.slice(5, 10) : text.slice(11, text.slice(17, 19) === '00' ? 16 : 19);
}

function draw(holder, data) {
  let plot = null;
  const again = () => {
    plot?.destroy();
    plot = new uPlot(holder.dataset.unit === 'money' ? stackedBars(holder, data) : steps(holder, data), plotted(holder, data), holder);
  };
  again();
  isDark.addEventListener('change', again);
  new ResizeObserver(() => { if (plot.width !== holder.clientWidth) plot.setSize({ width: holder.clientWidth, height: 240 }); }).observe(holder);
}

// A bar is drawn from the ground up, so the highest comes first and lower ones are drawn over it.
function plotted(holder, data) {
  if (holder.dataset.unit !== 'money') return [data.times, ...data.series.map((each) => each.values)];
  const sums = data.times.map(() => 0);
  return [data.times, ...data.series.map((each) => each.values.map((value, at) => (sums[at] += value))).reverse()];
}

function frame(holder, isDay, name) {
  const style = getComputedStyle(document.documentElement);
  const ink = style.getPropertyValue('--quiet').trim();
  const line = style.getPropertyValue('--line').trim();
  const axis = { stroke: ink, grid: { stroke: line, width: 1 }, ticks: { stroke: line, width: 1 } };
  return {
    width: holder.clientWidth,
    height: 240,
    tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), 'Etc/UTC'),
    cursor: { points: { show: !isDay } },
    scales: { x: { time: true, range: isDay ? (_, low, high) => [low - 43200, high + 43200] : undefined }, y: { range: (_, low, high) => [0, high > 0 ? high * 1.1 : 1] } },
    axes: [{ ...axis, space: 70, incrs: isDay ? [1, 2, 7, 14, 28, 91].map((days) => days * 86400) : undefined, values: (_, times) => times.map((seconds) => day(seconds, isDay)) }, { ...axis, size: 70, values: (_, numbers) => numbers.map(name) }],
    time: { value: (_, seconds) => (seconds === null ? '' : new Date(seconds * 1000).toISOString().slice(0, isDay ? 10 : 16).replace('T', ' ')) },
  };
}

const dollars = (number) => `$${number.toLocaleString('en', { minimumFractionDigits: 2, maximumFractionDigits: 8 })}`;

function stackedBars(holder, data) {
  const { time, ...options } = frame(holder, true, (number) => `$${number.toLocaleString('en')}`);
  const colours = coloursOf(data.series);
  const ground = getComputedStyle(document.documentElement).getPropertyValue('--ground').trim();
  const bars = uPlot.paths.bars({ size: [0.7, 56] });
  // The legend has the parts, not their sums, and where the mouse is nowhere, what all days cost together.
  const total = (each) => each.values.reduce((sum, value) => sum + value, 0);
  return {
    ...options,
    legend: { markers: { width: 0, fill: (_, at) => colours[data.series.length - at] } },
    series: [{ ...time, label: 'day', value: (plot, seconds) => (seconds === null ? 'all days' : time.value(plot, seconds)) },
      ...data.series.map((each, index) => ({ label: each.name, stroke: ground, width: 1, fill: colours[index], paths: bars, points: { show: false }, value: (_, number, __, at) => dollars(at === null || at === undefined ? total(each) : each.values[at]) })).reverse()],
  };
}

function steps(holder, data) {
  const { time, ...options } = frame(holder, false, (number) => (Number.isInteger(number) ? String(number) : ''));
  const colours = coloursOf(data.series);
  const paths = uPlot.paths.stepped({ align: 1 });
  return { ...options, series: [{ ...time, label: 'time' }, ...data.series.map((each, index) => ({ label: each.name, stroke: colours[index], width: 2, paths, fill: `${colours[index]}33`, points: { show: false }, value: (_, number) => (number === null || number === undefined ? '' : String(number)) }))] };
}

// ---- Reading with a token: the page that came is a shell, and this fetches the real one.

async function unlock() {
  const words = byId('shell-words');
  byId('token-form').addEventListener('submit', (event) => {
    event.preventDefault();
    sessionStorage.setItem(tokenKey, byId('token').value.trim());
    unlock();
  });
  if (!sessionStorage.getItem(tokenKey)) return;
  const response = await fetch(location.href, { headers: withToken({ Accept: 'text/html' }), cache: 'no-store' });
  if (response.status === 401) {
    sessionStorage.removeItem(tokenKey);
    words.textContent = 'That is not the token.';
    return;
  }
  const made = new DOMParser().parseFromString(await response.text(), 'text/html');
  for (const link of all('link[rel=stylesheet]', made)) if (!document.querySelector(`link[href="${link.getAttribute('href')}"]`)) document.head.append(document.importNode(link, true));
  document.title = made.title;
  document.body.replaceWith(document.importNode(made.body, true));
  const charts = made.querySelector('script[defer]')?.getAttribute('src');
  if (charts) await new Promise((done) => { const script = element('script', { src: charts }); script.addEventListener('load', done); document.head.append(script); });
  begin();
}

function begin() {
  byId('pause').hidden = false;
  byId('pause').addEventListener('click', pause);
  showAges();
  setInterval(() => showAges(), 1000);
  events.open();
  follow();
  all('[data-chart]').forEach(chart);
}

takeToken();
addEventListener('hashchange', takeToken);
document.addEventListener('keydown', onKey);
document.addEventListener('submit', (event) => {
  if (event.target.dataset.action) {
    event.preventDefault();
    act(event.target, event.submitter);
  }
});
if (document.querySelector('[data-shell]')) unlock();
else begin();
