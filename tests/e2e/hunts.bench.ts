// How long it takes from the key that runs a hunt to its first rows on the screen, and to all; bench/hunts.py starts it.
//   REDOUBT_URL, REDOUBT_ACCOUNT, REDOUBT_PASSWORD   the running node
//   REDOUBT_WANTED  values of events that there are, by field, as JSON
//   REDOUBT_RESULT  the file for what was measured
import { writeFileSync } from 'node:fs';
import { expect, test, type Page } from '@playwright/test';
import { logIn, typeQuery } from './steps';

const runs = 5;
const wanted = JSON.parse(process.env.REDOUBT_WANTED ?? '{}') as Record<string, string>;
const quoted = (field: string) => JSON.stringify(wanted[field] ?? '');
const hour = 3_600_000;
const around = new Date(wanted['@timestamp'] ?? 0).getTime();
const time = (ms: number) => new Date(ms).toISOString();

// As the reference has them: needles, scans, tops, the newest of everything.
const hunts: [string, string][] = [
  ['a hash of a file', `file.hash.sha256 = ${quoted('file.hash.sha256')}`],
  ['all of a process', `process.entity_id = ${quoted('process.entity_id')}`],
  ['an address', `destination.ip = ${quoted('destination.ip')}`],
  ['a part of a command line', `process.command_line CONTAINS ${JSON.stringify((wanted['process.command_line'] ?? '').slice(-8))}`],
  ['the beginning of a path', `file.path STARTS ${JSON.stringify((wanted['file.path'] ?? '').split('/').slice(0, 3).join('/'))}`],
  ['a host in an hour', `host.name = ${quoted('host.name')} | since ${time(around - hour / 2)} | until ${time(around + hour / 2)}`],
  ['one of three hosts and a type', `(EventType = "connection" OR EventType = "dns") AND host.name IN (${quoted('host.name')}, "srv-7.example.org", "srv-77.example.org")`],
  ['the commonest names', 'EventType = "dns" | since 1d | count by dns.question.name top 10'],
  ['programs that few hosts have', 'EventType = "process" | since 1d | rare process.executable by host.name'],
  ['the newest of everything', 'host.os.family = "linux"'],
];

// The page measures itself, from the click on: what it does not draw with is not waited for. What is in it is on the
// screen two frames later. It has run a hunt by itself: this one's rows are wanted.
async function watch(page: Page, text: string): Promise<void> {
  await page.evaluate((query) => {
    const shown: Record<string, number> = {};
    Object.assign(window, { shown });
    const note = (what: string) => {
      shown[what] ??= NaN;
      requestAnimationFrame(() => requestAnimationFrame(() => (shown[what] = performance.now())));
    };
    document.addEventListener('pointerdown', () => (shown.begin ??= performance.now()), true);
    new MutationObserver(() => {
      const results = document.querySelector<HTMLElement>('section[aria-label="Results"]');
      if (results?.dataset.query !== query) return;
      if (!('first' in shown) && results.querySelectorAll('[role=row]').length > 1) note('first');
      if (!('all' in shown) && results.getAttribute('aria-busy') === 'false') note('all');
    }).observe(document.body, { subtree: true, childList: true, attributes: true });
  }, text);
}

async function shownAfter(page: Page, text: string): Promise<{ firstMs: number; ms: number; rows: number }> {
  await watch(page, text);
  await page.getByRole('button', { name: 'Run', exact: true }).click();
  await page.waitForFunction(() => (window as unknown as { shown: Record<string, number> }).shown.all! > 0, undefined, { timeout: 20_000 });
  const shown = await page.evaluate(() => (window as unknown as { shown: Record<string, number> }).shown);
  const rows = Number(await page.getByRole('table', { name: 'Results' }).getAttribute('aria-rowcount')) - 1;
  return { firstMs: shown.first! - shown.begin!, ms: shown.all! - shown.begin!, rows };
}

test('people wait for hunts', async ({ page }) => {
  test.setTimeout(900_000);
  await page.goto('/');
  await page.getByLabel('Account').fill(process.env.REDOUBT_ACCOUNT ?? '');
  await logIn(page, process.env.REDOUBT_PASSWORD ?? '');
  await expect(page.getByRole('heading', { level: 1, name: 'Alerts' })).toBeVisible();
  const measured = [];
  for (const [name, text] of hunts) {
    const firstMs: number[] = [];
    const ms: number[] = [];
    let rows = 0;
    for (let run = 0; run < runs; ++run) {
      await page.goto('/hunt');
      await typeQuery(page, text);
      const shown = await shownAfter(page, text);
      firstMs.push(shown.firstMs);
      ms.push(shown.ms);
      rows = shown.rows;
    }
    expect(rows, name).toBeGreaterThan(0);
    measured.push({ name, firstMs, ms, rows });
  }
  writeFileSync(process.env.REDOUBT_RESULT ?? 'hunts.json', JSON.stringify(measured));
});
