/**
 * Hostile text in every field that a model, a workload or a policy can fill, on every page: nothing of it runs, becomes
 * markup or a link, or hides; and nothing is fetched from anywhere but the sidecar.
 */
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { firstHold, goToHash, pagesOf, type Visited } from './pages.ts';
import { launchBrowser, missingBrowser, type Stage, setStage, startFixedProvider } from './stage.ts';

/** What goes into the fields, one after another. */
export const attacks = {
  script: '<script>alert(1)</script>',
  handler: '"><img src=x onerror=alert(2)>',
  frame: '<iframe src="javascript:alert(3)"></iframe>',
  link: '<a href="javascript:alert(4)">click</a> javascript:alert(5) https://attacker.invalid/',
  direction: 'abc\u202Egnp.exe\u202C\u2066x\u2069',
  invisible: 'pay\u200B\u200D\uFEFF\u2060pal',
  terminal: '\u001B[2J\u001B]0;title\u0007\u009B31m',
  style: '<style>*{display:none}</style>{{7*7}}',
} as const;
/** Controls, directions, joiners and marks without a shape; line feeds and tabs are layout. */
const unseen =
  '[\\u0000-\\u0008\\u000b\\u000c\\u000e-\\u001f\\u007f-\\u009f\\u200b-\\u200f\\u2028-\\u202e\\u2060-\\u2069\\ufeff]';

function policyWith(title: string): string {
  return JSON.stringify({
    version: title.slice(0, 64),
    rules: [
      {
        id: 'tool-call',
        title: title.slice(0, 200),
        phase: 'response',
        when: `size(response.toolCalls) > 0 || response.text == ${JSON.stringify(title)}`,
        action: 'hold',
        severity: 'high',
        tests: [
          { name: title.slice(0, 60), expect: 'match', response: { toolCalls: [{ name: 'anything' }] } },
          { name: 'none', expect: 'no-match', response: { text: 'hello' } },
        ],
      },
    ],
  });
}

interface Scene {
  readonly stage: Stage;
  readonly page: Page;
  readonly pages: readonly Visited[];
  readonly alarms: string[];
  close(): Promise<void>;
}

async function setScene(browser: Browser, attack: string): Promise<Scene> {
  const provider = await startFixedProvider(
    {
      role: 'assistant',
      content: attack,
      refusal: attack,
      tool_calls: [
        {
          id: attack,
          type: 'function',
          function: {
            name: attack,
            arguments: JSON.stringify({ [attack]: attack, deep: [{ [attack]: attack }] }),
          },
        },
      ],
    },
    attack,
    attack,
  );
  const stage = await setStage(policyWith(attack), provider.url);
  const token = stage.token('mallory', 'admin');
  const left = new AbortController();
  // A header's value ends without a space.
  const session = attack
    .replace(/[^\x20-\x7e]/g, '')
    .slice(0, 60)
    .trim();
  const waiting = stage
    .workload(session)
    .chat.completions.create(
      {
        model: attack,
        user: attack,
        messages: [
          { role: 'system', content: attack },
          { role: 'user', content: attack },
        ],
        tools: [{ type: 'function', function: { name: attack, description: attack } }],
      },
      { signal: left.signal, headers: { 'holdpoint-session': session, 'holdpoint-purpose': session } },
    )
    .catch(() => null);
  const hold = await firstHold(stage, token);
  const context = await browser.newContext({ viewport: { width: 1360, height: 850 } });
  const page = await context.newPage();
  const alarms = watch(page, stage.sidecar.controlUrl);
  await page.goto(stage.sidecar.controlUrl);
  await page.getByLabel('Your token').fill(token);
  await page.keyboard.press('Enter');
  await page.locator('.link-live').waitFor();
  return {
    stage,
    page,
    pages: pagesOf(hold.id, hold.decisionId, session),
    alarms,
    close: async () => {
      left.abort();
      await waiting;
      await context.close();
      await stage.close();
      await provider.close();
    },
  };
}

function watch(page: Page, controlUrl: string): string[] {
  const alarms: string[] = [];
  page.on('dialog', (dialog) => {
    alarms.push(`dialog ${dialog.message()}`);
    dialog.dismiss().catch((error: unknown) => alarms.push(String(error)));
  });
  page.on('console', (message) => {
    if (/Content.Security.Policy|Refused to/i.test(message.text())) alarms.push(message.text());
  });
  page.on('pageerror', (error) => alarms.push(String(error)));
  page.on('popup', () => alarms.push('popup'));
  page.on('request', (request) => {
    const url = request.url();
    if (!url.startsWith(`${controlUrl}/`) && !url.startsWith('data:image/svg')) alarms.push(`request ${url}`);
  });
  return alarms;
}

/** What the page has become by hostile text: elements it never draws, links elsewhere, text that hides. */
async function spoils(page: Page): Promise<readonly string[]> {
  return page.evaluate((pattern) => {
    const found: string[] = [];
    for (const one of document.querySelectorAll(
      'main img, main script, main iframe, main style, main b, main object',
    ))
      found.push(one.outerHTML.slice(0, 100));
    for (const link of document.querySelectorAll('a[href]')) {
      const href = link.getAttribute('href') ?? '';
      if (!href.startsWith('#/')) found.push(`link ${href}`);
    }
    const hides = new RegExp(pattern, 'u');
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node !== null; node = walker.nextNode())
      if (hides.test(node.textContent ?? ''))
        found.push(`text ${JSON.stringify(node.textContent).slice(0, 100)}`);
    for (const one of document.querySelectorAll('[title], [aria-label]'))
      for (const name of ['title', 'aria-label'])
        if (hides.test(one.getAttribute(name) ?? ''))
          found.push(`${name} ${JSON.stringify(one.getAttribute(name)).slice(0, 100)}`);
    if (hides.test(document.title)) found.push('the title of the tab');
    return found;
  }, unseen);
}

/** One test for each text; `missingBrowser` skips them. */
export function describeHostileText(cases: readonly (readonly [string, string])[]): void {
  describe.skipIf(missingBrowser !== '')(`hostile text (${missingBrowser || 'Chromium'})`, () => {
    let browser: Browser;
    beforeAll(async () => {
      browser = await launchBrowser();
    });
    afterAll(() => browser.close());

    it.each(cases)(
      'as %s does nothing, becomes nothing and hides nothing on any page',
      async (_name, attack) => {
        const scene = await setScene(browser, attack);
        const found: string[] = [];
        for (const { name, hash, open } of scene.pages) {
          await goToHash(scene.page, hash);
          await open(scene.page);
          await scene.page.evaluate(() => {
            for (const fold of document.querySelectorAll('details')) fold.open = true;
          });
          // What was folded is drawn on the event that follows.
          await scene.page.evaluate(
            () => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))),
          );
          for (const spoil of await spoils(scene.page)) found.push(`${name}: ${spoil}`);
        }
        const { alarms } = scene;
        await scene.close();
        expect(found).toEqual([]);
        expect(alarms).toEqual([]);
      },
      60_000,
    );
  });
}
