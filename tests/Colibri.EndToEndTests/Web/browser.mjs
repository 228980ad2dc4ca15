// One scenario in a real browser, for WebTests.cs. Reads what to do from the environment, prints lines of JSON, the last one the outcome.
//
//   node browser.mjs SCENARIO     with PLAYWRIGHT, AXE, URL, TOKEN, SOCKET, SHOTS, AGENT set
import { createServer } from 'node:http';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';

const { PLAYWRIGHT, AXE, URL: base, TOKEN, SOCKET, SHOTS, AGENT, TASK, CHROMIUM = '/usr/bin/chromium' } = process.env;
const { chromium } = await import(`${PLAYWRIGHT}/index.mjs`);
const print = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);
const input = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const told = async (word) => { const { value } = await input.next(); if (value !== word) throw new Error(`${word} was due, ${value} came`); };

/** One request to the daemon. */
const ask = (request) => new Promise((answer, fail) => {
  const socket = connect(SOCKET, () => socket.write(`${JSON.stringify(request)}\n`));
  let text = '';
  socket.on('data', (bytes) => { text += bytes; if (text.endsWith('\n')) { socket.end(); const reply = JSON.parse(text); reply.ok ? answer(reply.data) : fail(new Error(text)); } });
  socket.on('error', fail);
});

/** The first event of the daemon that is looked for. */
const event = (isIt) => new Promise((found, fail) => {
  const socket = connect(SOCKET, () => socket.write('{"cmd":"subscribe"}\n'));
  createInterface({ input: socket }).on('line', (line) => { const happened = JSON.parse(line); if (isIt(happened)) { socket.destroy(); found(performance.now()); } });
  socket.on('error', fail);
});

const browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox', '--disable-dev-shm-usage'] });
const problems = [];

async function open(path, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  const page = await context.newPage();
  page.on('console', (message) => { if (message.type() === 'error' || message.type() === 'warning') problems.push(`${page.url()}: ${message.text()}`); });
  page.on('pageerror', (error) => problems.push(`${page.url()}: ${error.message}`));
  page.on('dialog', (dialog) => { problems.push(`${page.url()}: a dialog: ${dialog.message()}`); dialog.dismiss(); });
  await page.goto(base + path);
  return page;
}

const isLive = (page) => page.waitForFunction(() => document.getElementById('live-state')?.textContent === 'live');

const scenarios = {
  // A blocked agent appears in an open page, is answered there, and its task ends done.
  async answer() {
    const page = await open(`/#token=${TOKEN}`);
    await isLive(page);
    const hash = await page.evaluate(() => location.hash);
    const task = await ask({ cmd: 'create-task', title: 'wants to be asked', hold: false, capabilities: ['nobody-has-this'] });
    const blocked = event((happened) => happened.pane?.activity === 'blocked');
    await ask({ cmd: 'spawn-agent', binary: AGENT, args: ['--rpc', '--ask'], rpc: true, task_id: task.id });
    const since = await blocked;
    await page.locator('[data-part=inbox] .question').waitFor({ state: 'visible' });
    const appeared = performance.now() - since;
    await page.screenshot({ path: `${SHOTS}/question-1280.png` });
    await page.locator('[data-part=inbox] .question button', { hasText: 'Yes' }).click();
    await page.waitForFunction(() => /Nothing waits for you|no agent/.test(document.querySelector('[data-part=inbox]').textContent) && !document.querySelector('.question'));
    await page.goto(`${base}/tasks/${task.number}`);
    await page.locator('.task-state .badge', { hasText: 'done' }).waitFor();
    const ended = await ask({ cmd: 'get-task', task_id: task.id });
    return { appeared_ms: Math.round(appeared), hash, status: ended.status, reloads: 0 };
  },

  // Every page, wide and narrow, light and dark, is drawn, fits, and axe finds no serious fault in it.
  async pages() {
    const axe = readFileSync(AXE, 'utf8');
    const faults = [];
    const wide = [];
    const names = { '/': 'overview', '/tasks': 'tasks', [`/tasks/${TASK}`]: 'task', [`/tasks/${TASK}/session`]: 'session', [`/tasks/${TASK}/diff`]: 'diff', '/agents': 'agents', '/agents/a1': 'agent', '/inbox': 'inbox', '/cost': 'cost', '/providers': 'providers', '/schedules': 'schedules', '/hosts': 'hosts', '/nothing': 'not-found' };
    for (const [width, height, colorScheme] of [[1280, 900, 'light'], [390, 844, 'light'], [1280, 900, 'dark']]) {
      const page = await open(`/#token=${TOKEN}`, { viewport: { width, height }, colorScheme });
      for (const [path, name] of Object.entries(names)) {
        await page.goto(base + path);
        await isLive(page);
        if (name === 'cost') await page.locator('.u-wrap, .chart + .empty, figure .empty').first().waitFor();
        await page.screenshot({ path: `${SHOTS}/${name}-${width}${colorScheme === 'dark' ? '-dark' : ''}.png`, fullPage: true });
        if (await page.evaluate(() => document.documentElement.scrollWidth > innerWidth)) wide.push(`${path} at ${width}`);
        await page.evaluate(axe);
        const found = await page.evaluate(() => axe.run(document, { resultTypes: ['violations'] }));
        for (const violation of found.violations) if (['serious', 'critical'].includes(violation.impact)) faults.push(`${path} at ${width} ${colorScheme}: ${violation.id}: ${violation.nodes.map((node) => node.html.slice(0, 160)).slice(0, 3).join(' | ')}`);
      }
      await page.context().close();
    }
    return { faults, wide, pages: Object.keys(names).length, problems: problems.filter((problem) => !problem.includes('404')) };
  },

  // What an agent says, and what a task is called, is text wherever it is shown.
  async inert() {
    const page = await open(`/#token=${TOKEN}`);
    const seen = [];
    for (const path of ['/', '/tasks', `/tasks/${TASK}`, `/tasks/${TASK}/session`, '/agents', '/inbox', '/schedules', '/cost']) {
      await page.goto(base + path);
      await isLive(page);
      await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
      seen.push({ path, text: await page.evaluate(() => document.body.textContent.includes('<img src=x onerror=')), made: await page.evaluate(() => document.querySelectorAll('img, svg, iframe, main script').length), ran: await page.evaluate(() => window.ran === true) });
    }
    return { seen, problems };
  },

  // A page of another origin reads nothing, sends nothing, and gets no stream; a name that is rebound gets nothing either.
  async foreign() {
    const evil = createServer((_, response) => response.end('<!doctype html><title>evil</title>')).listen(0, '127.0.0.1');
    await new Promise((listening) => evil.once('listening', listening));
    const port = new URL(base).port;
    const rebound = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox', '--disable-dev-shm-usage', '--host-resolver-rules=MAP rebound.example 127.0.0.1'] });
    const page = await (await rebound.newContext()).newPage();
    await page.goto(`http://127.0.0.1:${evil.address().port}/`);
    const outcome = await page.evaluate(async ({ base, token }) => {
      const tried = {};
      const attempt = async (name, address, options) => {
        try { const response = await fetch(address, options); tried[name] = response.type === 'opaque' ? 'opaque' : response.status; } catch { tried[name] = 'failed'; }
      };
      await attempt('read', `${base}/`, {});
      await attempt('stream', `${base}/events?on=inbox`, {});
      await attempt('json', `${base}/api/pause-queue`, { method: 'POST', headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${token}` }, body: '{}' });
      await attempt('text', `${base}/api/pause-queue`, { method: 'POST', mode: 'no-cors', headers: { 'Content-Type': 'text/plain' }, body: '{}' });
      const frame = document.createElement('iframe');
      frame.src = `${base}/`;
      document.body.append(frame);
      await new Promise((loaded) => frame.addEventListener('load', loaded));
      tried.frame = (() => { try { return frame.contentDocument?.title ?? 'nothing'; } catch { return 'nothing'; } })();
      return tried;
    }, { base, token: TOKEN });
    const response = await page.goto(`http://rebound.example:${port}/`);
    outcome.rebound = response.status();
    await rebound.close();
    evil.close();
    return outcome;
  },

  // Without scripts the pages still tell all there is to read.
  async noscript() {
    const page = await open('/', { javaScriptEnabled: false });
    const seen = {};
    for (const path of ['/', '/tasks', `/tasks/${TASK}`, `/tasks/${TASK}/session`, '/cost', '/inbox']) {
      await page.goto(base + path);
      seen[path] = (await page.locator('main').innerText()).length;
    }
    await page.goto(`${base}/tasks?status=done`);
    await page.locator('#f-status').selectOption('failed');
    await page.locator('.filters button').click();
    seen.url = page.url().slice(base.length);
    return seen;
  },

  // The keyboard alone goes everywhere.
  async keys() {
    const page = await open('/tasks');
    await isLive(page);
    await page.keyboard.press('j');
    await page.keyboard.press('j');
    await page.keyboard.press('k');
    const current = await page.evaluate(() => document.querySelector('.current a')?.getAttribute('href'));
    await page.keyboard.press('Enter');
    await page.waitForURL(/\/tasks\/\d+$/);
    const opened = page.url().slice(base.length);
    await page.keyboard.press('g');
    await page.keyboard.press('t');
    await page.waitForURL(/\/tasks$/);
    await isLive(page);
    await page.keyboard.press('/');
    const filter = await page.evaluate(() => document.activeElement.name);
    await page.keyboard.press('Escape');
    await page.keyboard.press('?');
    await page.locator('dialog').waitFor();
    const help = await page.locator('dialog').innerText();
    await page.keyboard.press('Escape');
    await page.locator('dialog').waitFor({ state: 'detached' });
    await page.keyboard.press('p');
    const paused = await page.locator('#live-state').textContent();
    await page.keyboard.press('p');
    await isLive(page);
    await page.goto(`${base}/inbox`);
    await isLive(page);
    await page.keyboard.press('n');
    const attention = await page.evaluate(() => document.querySelector('.current')?.hasAttribute('data-attention'));
    return { current, opened, filter, help: help.includes('next and previous row'), paused, attention, problems };
  },

  // The daemon goes and comes back under an open page.
  async restart() {
    const page = await open('/');
    await isLive(page);
    print({ at: 'open' });
    await page.locator('.banner').waitFor();
    const words = await page.locator('.banner').innerText();
    await page.screenshot({ path: `${SHOTS}/away-1280.png` });
    print({ at: 'away' });
    await told('back');
    await page.locator('.banner').waitFor({ state: 'detached' });
    await ask({ cmd: 'create-task', title: 'made after the restart' });
    await page.locator('[data-part=tasks]', { hasText: 'made after the restart' }).waitFor();
    return { words };
  },

  // What ends something is asked about first, and takes the token.
  async confirm() {
    const page = await open(`/tasks/${TASK}`);
    await isLive(page);
    const discard = page.locator('form[data-action=discard-task] button');
    await discard.click();
    await page.locator('dialog').waitFor();
    const words = await page.locator('dialog p').first().innerText();
    await page.screenshot({ path: `${SHOTS}/confirm-1280.png` });
    await page.keyboard.press('Escape');
    const still = (await ask({ cmd: 'get-change', task_id: TASK })).change.state;
    await page.locator('form[data-action=land-task] button').click();
    await page.locator('dialog button.yes').click();
    await page.locator('#asked-token').fill('not the token, though it is long enough');
    await page.locator('dialog button[type=submit]').click();
    await page.locator('#toast.bad').waitFor();
    const refused = await page.locator('#toast').innerText();
    await page.goto(`${base}/tasks/${TASK}#token=${TOKEN}`);
    await page.reload();
    await page.locator('form[data-action=land-task] button').click();
    await page.locator('dialog button.yes').click();
    await page.locator('#toast.good').waitFor();
    await page.locator('form[data-action=land-task]').waitFor({ state: 'detached' });
    return { words, still, refused, landed: (await ask({ cmd: 'get-change', task_id: TASK })).change.state };
  },

  // A session is followed as it is written.
  async follow() {
    const page = await open(`/tasks/${TASK}/session`);
    await page.locator('#entries li').first().waitFor();
    const before = await page.locator('#entries li').count();
    const task = await ask({ cmd: 'get-task', task_id: TASK });
    await ask({ cmd: 'append-session', session_id: task.session_id, entry: { kind: 'note', text: 'written while the page is open <b>bold</b>' } });
    await page.locator('#entries li', { hasText: 'written while the page is open <b>bold</b>' }).waitFor();
    return { before, after: await page.locator('#entries li').count(), bold: await page.locator('#entries b').count() };
  },

  // Where reading takes the token, the first page asks for it.
  async locked() {
    const page = await open('/');
    await page.locator('#token').waitFor();
    const title = await page.title();
    await page.locator('#token').fill(TOKEN);
    await page.locator('#token-form button').click();
    await page.locator('[data-part=inbox]').waitFor();
    await isLive(page);
    await page.goto(`${base}/cost`);
    await page.locator('figure').first().waitFor();
    return { title, heading: await page.locator('h1').innerText() };
  },
};

try {
  print(await scenarios[process.argv[2]]());
} catch (error) {
  print({ failed: String(error), problems });
  process.exitCode = 1;
} finally {
  await browser.close();
}
process.exit();
