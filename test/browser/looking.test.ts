/** Two reviewers on one hold see each other. */
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { holdsToolCalls, launchBrowser, missingBrowser, question, type Stage, setStage } from './stage.ts';

describe.skipIf(missingBrowser !== '')(`a hold that two look at (${missingBrowser || 'Chromium'})`, () => {
  let browser: Browser;
  let stage: Stage;
  let asked: Promise<string>;
  beforeAll(async () => {
    [browser, stage] = await Promise.all([launchBrowser(), setStage(holdsToolCalls)]);
    asked = stage
      .workload()
      .chat.completions.create(question('Delete all records of customer 1001.'))
      .then(() => 'an answer', String);
  });
  afterAll(async () => {
    await browser.close();
    await stage.close();
    expect(await asked).toContain('503');
  });

  async function reviewer(name: string, token = stage.token(name, 'reviewer')): Promise<Page> {
    const context = await browser.newContext();
    const page = await tabOf(context);
    await page.getByLabel('Your token').fill(token);
    await page.keyboard.press('Enter');
    await page.locator('.link-live').waitFor();
    return page;
  }

  async function tabOf(context: BrowserContext): Promise<Page> {
    const page = await context.newPage();
    page.setDefaultTimeout(10_000);
    await page.goto(stage.sidecar.controlUrl);
    return page;
  }

  async function kill(page: Page): Promise<void> {
    const wire = await page.context().newCDPSession(page);
    // Nobody answers a command that ends whoever would.
    const killed = page.waitForEvent('crash');
    wire.send('Page.crash').catch(() => undefined);
    await killed;
  }

  it('names on each page the other one, and no longer once that one has left', async () => {
    const [rita, otto] = await Promise.all([reviewer('rita'), reviewer('otto')]);
    await rita.locator('.lines .line').click();
    const onRitas = rita.locator('.also-looking');
    await onRitas.waitFor({ state: 'attached' });
    expect(await onRitas.textContent()).toBe('');
    await otto.locator('.lines .line').click();
    await otto.getByText('rita also looks at it.').waitFor();
    await rita.getByText('otto also looks at it.').waitFor();
    await otto.keyboard.press('Escape');
    await expect.poll(() => onRitas.textContent()).toBe('');
    await otto.locator('.lines .line').click();
    await rita.getByText('otto also looks at it.').waitFor();
    // The page is closed without a word of its own making: the browser still says it.
    await otto.close({ runBeforeUnload: true });
    await expect.poll(() => onRitas.textContent()).toBe('');
    await rita.keyboard.press('Escape');
  });

  it('is not looked at any more by somebody whose tab was killed, at once', async () => {
    const [lena, ivan] = await Promise.all([reviewer('lena'), reviewer('ivan')]);
    await lena.locator('.lines .line').click();
    await ivan.locator('.lines .line').click();
    await lena.getByText('ivan also looks at it.').waitFor();
    await kill(ivan);
    await expect.poll(() => lena.locator('.also-looking').textContent(), { timeout: 5_000 }).toBe('');
    await lena.keyboard.press('Escape');
  });

  it('is looked at by somebody of whose browsers one was killed only while another one is on it', async () => {
    const token = stage.token('nora', 'reviewer');
    const [lars, elsewhere] = await Promise.all([reviewer('lars'), reviewer('nora', token)]);
    const onIt = await reviewer('nora', token);
    const alsoOnIt = await reviewer('nora', token);
    for (const page of [lars, onIt, alsoOnIt]) await page.locator('.lines .line').click();
    await lars.getByText('nora also looks at it.').waitFor();
    const saidAgain = onIt.waitForRequest((request) => request.url().endsWith('/looking'));
    await kill(alsoOnIt);
    await (await saidAgain).response();
    await lars.getByText('nora also looks at it.').waitFor();
    await kill(onIt);
    await expect.poll(() => lars.locator('.also-looking').textContent(), { timeout: 5_000 }).toBe('');
    await elsewhere.locator('.link-live').waitFor();
    await lars.keyboard.press('Escape');
  });

  it('is looked at by somebody in one tab while another of theirs is out of sight, and neither contradicts the other', async () => {
    const inFront = await reviewer('mia');
    const behind = await tabOf(inFront.context());
    await behind.locator('.link-live').waitFor();
    const said: boolean[] = [];
    behind.on('request', (request) => {
      if (request.url().endsWith('/looking')) said.push(JSON.parse(request.postData() ?? '').here);
    });
    for (const page of [inFront, behind]) {
      await page.locator('.lines .line').click();
      await page.locator('.also-looking').waitFor({ state: 'attached' });
    }
    // From then on it hears of going out of sight.
    await expect.poll(() => said).toContain(true);
    await behind.evaluate(() => {
      Object.defineProperty(document, 'hidden', { value: true });
      document.dispatchEvent(new Event('visibilitychange'));
    });
    const hugo = await reviewer('hugo');
    // So much later, whoever takes back what the other says has done so many times.
    for (let round = 0; round < 3; round += 1) {
      await hugo.locator('.lines .line').click();
      await inFront.getByText('hugo also looks at it.').waitFor();
      await hugo.getByText('mia also looks at it.').waitFor();
      await hugo.keyboard.press('Escape');
      await expect.poll(() => inFront.locator('.also-looking').textContent()).toBe('');
    }
    expect(said.filter((isHere) => !isHere)).toEqual([false]);
  });
});
