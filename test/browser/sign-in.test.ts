/** A reviewer signs in at a real OpenID provider in a real browser, rules, and signs out. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { clientId, type OpenIdProvider, startOpenIdProvider } from '../support/oidc.ts';
import { holdsToolCalls, launchBrowser, missingBrowser, question, type Stage, setStage } from './stage.ts';

describe.skipIf(missingBrowser !== '')(`signing in ${missingBrowser}`, () => {
  let provider: OpenIdProvider;
  let stage: Stage;
  let browser: Browser;
  const directory = mkdtempSync(join(tmpdir(), 'holdpoint-sign-in-'));

  beforeAll(async () => {
    provider = await startOpenIdProvider();
    provider.groups.set('ada', ['reviewers']);
    const secretFile = join(directory, 'secret');
    writeFileSync(secretFile, provider.clientSecret);
    const oidc = {
      issuer: provider.issuer,
      clientId,
      clientSecret: { file: secretFile },
      label: 'Example ID',
      roles: [{ group: 'reviewers', role: 'reviewer' }],
    };
    stage = await setStage(holdsToolCalls, undefined, { signIn: { oidc } });
    await provider.register(`${stage.sidecar.controlUrl}/sign-in/oidc/callback`);
    browser = await launchBrowser();
  });
  afterAll(async () => {
    await browser.close();
    await stage.close();
    await provider.close();
    rmSync(directory, { recursive: true });
  });

  /** What does not come is named by the step that waited for it. */
  async function newContext(): Promise<BrowserContext> {
    const context = await browser.newContext();
    context.setDefaultTimeout(8_000);
    return context;
  }

  async function signIn(page: Page, login: string): Promise<void> {
    await page.getByRole('button', { name: 'Sign in with Example ID' }).click();
    await page.getByPlaceholder('Enter any login').fill(login);
    await page.getByPlaceholder('and password').fill('any');
    await page.getByRole('button', { name: 'Sign-in' }).click();
    await page.getByRole('button', { name: 'Continue' }).click();
  }

  it('comes back to where the reviewer was, rules, and ends for every tab', async () => {
    const asked = stage.workload().chat.completions.create(question('Transfer 25000 EUR to DE89, ref 1.'));
    const context = await newContext();
    const page = await context.newPage();
    await page.goto(`${stage.sidecar.controlUrl}/#/ledger`);
    await signIn(page, 'ada');
    await page.getByText('ada of the test').waitFor();
    expect(new URL(page.url()).hash).toBe('#/ledger');

    const second = await context.newPage();
    await second.goto(stage.sidecar.controlUrl);
    await second.getByText('ada of the test').waitFor();

    await page.goto(`${stage.sidecar.controlUrl}/#/`);
    await page.locator('.lines .line').first().click();
    await page.getByText('Why it is held').waitFor();
    await page.keyboard.press('r');
    await page.getByRole('textbox', { name: /reason/i }).fill('As agreed.');
    await page.keyboard.press('Control+Enter');
    await page.locator('.over', { hasText: `Released by oidc:${provider.issuer}#ada` }).waitFor();
    expect((await asked).choices[0]?.finish_reason).toBe('tool_calls');

    const cookies = await context.cookies(stage.sidecar.controlUrl);
    const session = cookies.find(({ name }) => name.startsWith('holdpoint-session'));
    expect(session).toMatchObject({ httpOnly: true, sameSite: 'Strict', path: '/', expires: -1 });
    expect(await page.evaluate(() => document.cookie)).not.toContain('holdpoint');

    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByLabel('Your token').waitFor();
    await second.getByText('Your session is over. Sign in again.').waitFor();
    if (session === undefined) throw new Error('there was no session');
    await context.addCookies([session]);
    await page.reload();
    await page.getByLabel('Your token').waitFor();
    await context.close();
  });

  it('shows who is in no group why, and the way back', async () => {
    const context = await newContext();
    const page = await context.newPage();
    await page.goto(stage.sidecar.controlUrl);
    await signIn(page, 'mallory');
    await page.getByText('in no group that has a role here').waitFor();
    await page.getByRole('link', { name: 'To the console' }).click();
    await page.getByLabel('Your token').waitFor();
    await context.close();
  });

  it('offers the provider also where the sidecar answers before the browser has painted the page', async () => {
    const context = await newContext();
    // What the page leaves to the time after its first paint is never done.
    await context.addInitScript(() => {
      const setTimer = window.setTimeout.bind(window);
      window.requestAnimationFrame = () => 0;
      Object.assign(window, {
        setTimeout: (work: () => void, ms = 0) => (ms < 1_000 ? 0 : setTimer(work, ms)),
      });
    });
    const page = await context.newPage();
    const answered = page.waitForResponse((response) => response.url().endsWith('/sign-in'));
    await page.goto(stage.sidecar.controlUrl);
    await (await answered).finished();
    await page.getByRole('button', { name: 'Sign in with Example ID' }).waitFor();
    await context.close();
  });

  it('says that the sidecar cannot be reached, and offers the provider once it can', async () => {
    const context = await newContext();
    const page = await context.newPage();
    let reachable = false;
    await page.route('**/sign-in', async (route) => {
      if (reachable) await route.continue();
      else await route.abort('connectionrefused');
    });
    await page.goto(stage.sidecar.controlUrl);
    await page.getByRole('alert').filter({ hasText: 'The sidecar cannot be reached.' }).waitFor();
    reachable = true;
    await page.getByRole('button', { name: 'Sign in with Example ID' }).waitFor();
    await page.getByRole('alert').filter({ hasText: 'reached' }).waitFor({ state: 'hidden' });
    await context.close();
  });

  it('survives a reload by token, also while the sidecar is away, and leaves the token nowhere', async () => {
    const context = await newContext();
    const page = await context.newPage();
    const token = stage.token('rita', 'reviewer');
    await page.goto(stage.sidecar.controlUrl);
    await page.getByLabel('Your token').fill(token);
    await page.keyboard.press('Enter');
    await page.getByText('rita').waitFor();
    await page.route('**/whoami', (route) => route.abort('connectionrefused'));
    await page.reload();
    await page.getByRole('alert').filter({ hasText: 'The sidecar cannot be reached.' }).waitFor();
    await page.unroute('**/whoami');
    await page.getByText('rita').waitFor();
    await page.reload();
    await page.getByText('rita').waitFor();
    const kept = await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }]));
    expect(kept).not.toContain(token.slice(3, 20));
    await context.close();
  });

  it('elsewhere says where it works', async () => {
    const page = await browser.newPage();
    await page.goto(stage.sidecar.controlUrl.replace('127.0.0.1', 'localhost'));
    await page.getByText('Example ID works at').waitFor();
    await page.getByRole('link', { name: stage.sidecar.controlUrl }).waitFor();
    await page.close();
  });

  it('leaves a ledger that verifies', async () => {
    expect(await stage.verdict()).toMatchObject({ ok: true });
  });
});
