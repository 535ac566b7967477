/** The console's pages for everybody, as a specification: in the looks, and for the keyboard on the pages, that are asked for. */
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { firstHold, goToHash, pagesOf, seriousFindings, type Visited } from './pages.ts';
import { holdsToolCalls, launchBrowser, missingBrowser, question, type Stage, setStage } from './stage.ts';

export const names = [
  'inbox',
  'hold',
  'decisions',
  'decision',
  'session',
  'ledger',
  'entry',
  'policy',
  'overview',
  'privacy',
] as const;
export interface Look {
  readonly width: number;
  readonly height: number;
  readonly scheme: 'light' | 'dark';
}
export const desktop: Look = { width: 1360, height: 850, scheme: 'light' };
export const pocket: Look = { width: 390, height: 844, scheme: 'dark' };

/** axe on every page in each of `looks`; Tab through each page of `walked`. */
export function describePages(looks: readonly Look[], walked: readonly string[]): void {
  describe.skipIf(missingBrowser !== '')(`each page (${missingBrowser || 'Chromium'})`, () => {
    let browser: Browser;
    let stage: Stage;
    let token: string;
    let pages: readonly Visited[];
    const left = new AbortController();
    let waiting: Promise<unknown>;

    beforeAll(async () => {
      [browser, stage] = await Promise.all([launchBrowser(), setStage(holdsToolCalls)]);
      token = stage.token('grace', 'admin');
      const headers = { 'holdpoint-session': 'run 7' };
      const { response } = await stage
        .workload()
        .chat.completions.create(
          { model: 'gpt-4.1', messages: [{ role: 'user', content: 'What is a hold point?' }] },
          { headers },
        )
        .withResponse();
      waiting = stage
        .workload()
        .chat.completions.create(question('Delete all records of customer 1001.'), { signal: left.signal })
        .catch(() => null);
      const hold = await firstHold(stage, token);
      pages = pagesOf(hold.id, response.headers.get('holdpoint-decision') ?? '', 'run 7');
    });
    afterAll(async () => {
      left.abort();
      await waiting;
      await browser.close();
      await stage.close();
    });

    async function signedIn(look: Look): Promise<Page> {
      const { width, height, scheme } = look;
      const context = await browser.newContext({
        viewport: { width, height },
        colorScheme: scheme,
        reducedMotion: 'reduce',
      });
      const page = await context.newPage();
      await page.goto(stage.sidecar.controlUrl);
      await page.getByLabel('Your token').fill(token);
      await page.keyboard.press('Enter');
      await page.locator('.link-live').waitFor();
      return page;
    }

    function pageNamed(name: string): Visited {
      const found = pages.find((page) => page.name === name);
      if (found === undefined) throw new Error(`there is no page ${name}`);
      return found;
    }

    describe.each(looks)('at $width pixels, $scheme', (look) => {
      it('axe finds nothing serious on any page, signing in included, and none is wider than the screen', async () => {
        const page = await signedIn(look);
        const found: Record<string, readonly string[]> = {};
        for (const { name, hash, open } of pages) {
          await goToHash(page, hash);
          await open(page);
          const width = await page.evaluate(() => document.documentElement.scrollWidth);
          const tooWide = width > look.width ? [`${width} pixels wide`] : [];
          found[name] = [...(await seriousFindings(page)), ...tooWide];
        }
        await page.getByRole('button', { name: 'Sign out' }).click();
        await page.getByLabel('Your token').waitFor();
        found['sign-in'] = await seriousFindings(page);
        await page.context().close();
        expect(found).toEqual(Object.fromEntries([...names, 'sign-in'].map((name) => [name, []])));
      }, 60_000);
    });

    it.each(walked)('Tab reaches every link, button and field of the page: %s', async (name) => {
      const page = await signedIn(desktop);
      const { hash, open } = pageNamed(name);
      await goToHash(page, hash);
      await open(page);
      const wanted = await page.evaluate(() => {
        const usable = [
          ...document.querySelectorAll<HTMLElement>('a[href], button, input, select, textarea, summary'),
        ];
        // Of a group's choices Tab reaches the one that is chosen, and arrows the others.
        const seen = usable.filter(
          (one) => one.checkVisibility() && !one.matches(':disabled, input[type=radio]:not(:checked)'),
        );
        for (const [i, one] of seen.entries()) one.setAttribute('data-walked', String(i));
        if (document.activeElement instanceof HTMLElement) document.activeElement.blur();
        return seen.length;
      });
      const reached = new Set<string>();
      for (let presses = 0; presses < 3 * wanted + 30 && reached.size < wanted; presses += 1) {
        await page.keyboard.press('Tab');
        const at = await page.evaluate(() => document.activeElement?.getAttribute('data-walked') ?? '');
        if (at !== '') reached.add(at);
      }
      await page.context().close();
      expect(wanted).toBeGreaterThan(5);
      expect(reached.size).toBe(wanted);
    });

    it('digits turn to the pages', async () => {
      const page = await signedIn(desktop);
      for (const [key, title] of [
        ['2', 'Decisions'],
        ['3', 'Ledger'],
        ['4', 'Policy'],
        ['5', 'Overview'],
        ['6', 'Privacy'],
        ['1', 'Waiting for a ruling'],
      ] as const) {
        await page.keyboard.press(key);
        await page.getByRole('heading', { level: 1, name: new RegExp(`^${title}`) }).waitFor();
      }
      await page.context().close();
    });
  });
}
