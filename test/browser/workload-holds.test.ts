/** The hold page's line of what its workload had held before, which leads there. */
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { holdsToolCalls, launchBrowser, missingBrowser, question, type Stage, setStage } from './stage.ts';

describe.skipIf(missingBrowser !== '')(`the page of a hold (${missingBrowser || 'Chromium'})`, () => {
  let browser: Browser;
  let stage: Stage;
  beforeAll(async () => {
    [browser, stage] = await Promise.all([launchBrowser(), setStage(holdsToolCalls)]);
  });
  afterAll(async () => {
    await browser.close();
    await stage.close();
  });

  it('shows what else its workload had held, and leads there', async () => {
    const page = await browser.newPage();
    page.setDefaultTimeout(10_000);
    await page.goto(stage.sidecar.controlUrl);
    await page.getByLabel('Your token').fill(stage.token('rita', 'reviewer'));
    await page.keyboard.press('Enter');
    await page.locator('.link-live').waitFor();
    const ask = (customer: number): Promise<string> =>
      stage
        .workload()
        .chat.completions.create(question(`Delete all records of customer ${customer}.`))
        .then(() => 'an answer', String);
    const first = ask(1001);
    await page.locator('.lines .line').click();
    await page.getByText('No other recent hold of this workload.').waitFor();
    const firstAddress = page.url();
    const second = ask(1002);
    await page.locator('.lines .line').nth(1).click();
    const earlier = page.locator('.others');
    await earlier.getByText('pending').waitFor();
    await earlier.getByRole('link', { name: /delete_records/ }).click();
    await expect.poll(() => page.url()).toBe(firstAddress);
    // The first one's page names the second.
    await expect
      .poll(() => earlier.getByRole('link').getAttribute('href'))
      .not.toBe(new URL(firstAddress).hash);
    await page.close();
    await stage.sidecar.stop('seen');
    expect(await first).toContain('503');
    expect(await second).toContain('503');
  });
});
