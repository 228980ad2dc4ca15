// Frames of a page in headless Chromium: how often the browser could draw while the page lives.
//
//   node pageframes.mjs URL [SECONDS]     with CHROMIUM, where it is not /usr/bin/chromium
//
// Prints one "name value" a line. It speaks the DevTools protocol over a pipe, so it needs Node and Chromium alone. A page that takes the token has it
// in the address, behind #token=.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const [url, seconds = '10'] = process.argv.slice(2);
if (!url || !(Number(seconds) > 0)) {
  process.stderr.write('usage: node pageframes.mjs URL [SECONDS]\n');
  process.exit(2);
}
const profile = mkdtempSync(join(tmpdir(), 'pageframes-'));
const chromium = spawn(process.env.CHROMIUM ?? '/usr/bin/chromium',
  ['--headless=new', '--no-sandbox', '--disable-dev-shm-usage', '--no-first-run', '--window-size=1280,900', `--user-data-dir=${profile}`, '--remote-debugging-pipe', 'about:blank'],
  { stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'] });
const gone = new Promise((_, fail) => { chromium.once('error', fail); chromium.once('exit', (code) => fail(new Error(`Chromium has ended with ${code}`))); });
gone.catch(() => {});

const waiting = new Map();
let last = 0;
let rest = '';
chromium.stdio[4].setEncoding('utf8').on('data', (text) => {
  const messages = (rest + text).split('\0');
  rest = messages.pop();
  for (const message of messages.map((one) => JSON.parse(one))) {
    const { answer, fail } = waiting.get(message.id) ?? {};
    waiting.delete(message.id);
    if (message.error) fail?.(new Error(message.error.message));
    else answer?.(message.result);
  }
});
const ask = (method, params = {}, sessionId = undefined) => Promise.race([gone, new Promise((answer, fail) => {
  waiting.set(++last, { answer, fail });
  chromium.stdio[3].write(`${JSON.stringify({ id: last, method, params, sessionId })}\0`);
})]);

// Runs in the page.
async function count(ms) {
  const isOpen = () => document.readyState === 'complete' && document.getElementById('live-state')?.textContent === 'live';
  for (let tries = 0; !isOpen() && tries < 300; tries++) await new Promise((done) => setTimeout(done, 100));
  let changes = 0;
  let updates = 0;
  let blocked = 0;
  new MutationObserver((found) => { changes += found.length; updates++; }).observe(document.querySelector('main') ?? document.body, { subtree: true, childList: true, characterData: true, attributes: true });
  new PerformanceObserver((list) => { for (const task of list.getEntries()) blocked += task.duration; }).observe({ type: 'longtask' });
  const begin = performance.now();
  let frames = 0;
  let longest = 0;
  let before = begin;
  await new Promise((done) => requestAnimationFrame(function frame(now) {
    if (frames > 0) longest = Math.max(longest, now - before);
    before = now;
    frames++;
    if (performance.now() - begin < ms) requestAnimationFrame(frame);
    else done();
  }));
  const took = performance.now() - begin;
  return { live: isOpen() ? 1 : 0, frames, frames_per_second: frames * 1000 / took, longest_gap_ms: longest, long_tasks_ms: blocked, updates_per_second: updates * 1000 / took, changes_per_second: changes * 1000 / took, elements: document.getElementsByTagName('*').length };
}

try {
  const { targetId } = await ask('Target.createTarget', { url: 'about:blank' });
  const { sessionId } = await ask('Target.attachToTarget', { targetId, flatten: true });
  await ask('Page.enable', {}, sessionId);
  await ask('Page.navigate', { url }, sessionId);
  // An evaluation in the page that is left ends with it.
  let outcome;
  for (let tries = 0; outcome === undefined && tries < 5; tries++) {
    const answer = await ask('Runtime.evaluate', { expression: `(${count})(${Number(seconds) * 1000})`, awaitPromise: true, returnByValue: true }, sessionId).catch(() => undefined);
    if (answer?.exceptionDetails) throw new Error(answer.exceptionDetails.exception?.description ?? answer.exceptionDetails.text);
    outcome = answer?.result.value;
  }
  if (outcome === undefined) throw new Error('the page was not there to be counted');
  for (const [name, value] of Object.entries(outcome)) process.stdout.write(`${name} ${Number(value.toFixed(2))}\n`);
} catch (error) {
  process.stderr.write(`pageframes: ${error.message}\n`);
  process.exitCode = 1;
} finally {
  chromium.removeAllListeners('exit');
  const ended = new Promise((done) => chromium.once('exit', done));
  if (chromium.exitCode === null && chromium.kill()) await ended;
  rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
}
