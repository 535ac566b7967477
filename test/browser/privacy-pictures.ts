/** Pictures of the privacy page: somebody's content looked at before it goes, a legal hold, and the retention rules. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { goToHash } from './pages.ts';
import { setStage } from './stage.ts';

const looks = [
  { name: 'privacy', width: 1360, height: 1200 },
  { name: 'phone-privacy', width: 390, height: 844 },
] as const;

const retention = {
  rules: [
    { id: 'books', match: { workload: 'bookkeeping' }, minimumDays: 3650 },
    { id: 'chat', match: { workload: 'support-agent' }, keepDays: 90, minimumDays: 30 },
  ],
  exemptions: [{ id: 'claims', match: { workload: 'litigation' }, bases: ['objection'] }],
};

/** Writes them into `directory`. */
export async function takePrivacyPictures(
  browser: Browser,
  policyFile: string,
  directory: string,
): Promise<void> {
  const policy = readFileSync(policyFile, 'utf8');
  const stage = await setStage(policy, undefined, {}, undefined, { retention });
  for (const subject of ['customer-1001', 'customer-1001', 'customer-1002'])
    await stage
      .workload('billing-agent')
      .chat.completions.create(
        { model: 'gpt-4.1', messages: [{ role: 'user', content: 'What is a hold point?' }] },
        { headers: { 'holdpoint-subject': subject } },
      );
  const token = stage.token('petra', 'privacy');
  const post = (path: string, body: object) =>
    fetch(`${stage.sidecar.controlUrl}${path}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
  const kept = { scope: { subject: 'customer-1002' }, reason: 'Case 7 O 12/26.' };
  await post('/api/v1/legal-holds', kept);
  for (const scheme of ['light', 'dark'] as const)
    for (const { name, width, height } of looks) {
      const viewport = { width, height };
      const context = await browser.newContext({ viewport, colorScheme: scheme, reducedMotion: 'reduce' });
      const page = await context.newPage();
      await page.goto(stage.sidecar.controlUrl);
      await page.getByLabel('Your token').fill(token);
      await page.keyboard.press('Enter');
      await page.locator('.link-live').waitFor();
      await goToHash(page, '#/privacy');
      await page.getByText('Case 7 O 12/26.').waitFor();
      const form = page.getByRole('region', { name: 'Erase content' });
      await form.getByLabel(/^Their name/).fill('customer-1001');
      await form.getByLabel(/^Reason/).fill('Request DSR-88 of 26 November.');
      await page.keyboard.press('Enter');
      await form.getByRole('button', { name: 'for good' }).waitFor();
      const path = join(directory, `${name}-${scheme}.png`);
      await page.screenshot({ path });
      process.stdout.write(`${path}\n`);
      await context.close();
    }
  await stage.close();
}
