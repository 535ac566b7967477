/**
 * The verifier's page in a real browser, opened from disk: the same verdict as the command line. Needs Debian's chromium,
 * or CHROMIUM_PATH.
 */
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { verifyExport } from '../../src/cli/verify-export.ts';
import { formatTlogProof } from '../../src/ledger/tlog-proof.ts';
import { streamOf } from '../second-opinion/ledgers.ts';
import { buildFullLedger, createLedgerBuilder, decodeBlock, leafHashOf } from '../support/ledger-builder.ts';
import {
  dropRecord,
  editBodies,
  editLeaf,
  editNote,
  type Records,
  setFields,
} from '../support/ledger-tampering.ts';
import { launchBrowser, missingBrowser } from './stage.ts';
import { buildStories, setVerifierStage, type VerifierStage } from './verifier-stage.ts';

if (missingBrowser !== '') {
  if (process.env['CI'] === 'true') throw new Error(missingBrowser);
  process.stderr.write(`The verifier page's tests are skipped: ${missingBrowser}\n`);
}

const verdictOn = (page: Page) => page.locator('#verdict');
const nothing = { trust: undefined, checkpoint: undefined, keys: undefined, everySignature: false };

describe.skipIf(missingBrowser !== '')("the verifier's page", () => {
  let browser: Browser;
  let stage: VerifierStage;

  beforeAll(async () => {
    browser = await launchBrowser();
    stage = await setVerifierStage(browser);
  }, 120_000);

  afterAll(async () => {
    await browser?.close();
    stage?.close();
  });

  it('finds an export intact, anchored by what was dropped beside it, and asks nobody anything', async () => {
    const full = buildFullLedger();
    const { page, choose, requested, complaints } = await stage.open();
    await choose(
      stage.write('full.hpj', streamOf(full.records)),
      stage.write('ledger.vkey', `# ours\n${full.verifierKey}\n`),
      stage.write('kept.note', full.checkpoint(11)),
      stage.write('high-water', full.highWater()),
      stage.write('kek.key', `${full.kek.toString('base64')}\n`),
    );
    await verdictOn(page).waitFor();
    expect(await verdictOn(page).textContent()).toBe('Intact');
    const report = await page.locator('.verdict').innerText();
    expect(report).toContain('ANCHORED');
    expect(report).toContain('under a key you trust');
    expect(report).toContain('30 stored, 30 checked, 30 opened');
    expect(report).toContain(full.root().toString('base64'));
    expect(requested.filter((url) => !url.startsWith('blob:'))).toEqual([]);
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  it('says of a part that was erased that it was, and of one that is merely gone that it is missing', async () => {
    const builder = createLedgerBuilder();
    builder.genesis();
    builder.commit();
    const asked = [builder.request(), builder.request()];
    for (const seq of asked) builder.omit(seq, 0);
    builder.commit();
    builder.close(asked.map((seq) => [seq, 'interrupted'] as const));
    const scope = { decision: asked[0] ?? 0 };
    const data = { action: 'erase', basis: 'objection', by: 'petra', final: true, request: 'ab'.repeat(8) };
    builder.seal({
      type: 'erasure',
      data: { ...data, role: 'privacy', scope, targets: [[scope.decision, 0]] },
    });
    builder.commit();
    const { page, choose, complaints } = await stage.open();
    await choose(
      stage.write('erased.hpj', streamOf(builder.records)),
      stage.write('kek.key', `${builder.kek.toString('base64')}\n`),
    );
    await verdictOn(page).waitFor();
    expect(await page.locator('.finding-first').innerText()).toContain('body_missing');
    for (const [at, words] of ['It was erased', 'body_missing: it is not stored'].entries()) {
      await page
        .getByText(new RegExp(`^d-[0-9a-f]{8}-${asked[at]}$`))
        .first()
        .click();
      await page.getByRole('button', { name: 'Read the request' }).click();
      await page.getByText(new RegExp(words)).waitFor();
      await page.getByRole('button', { name: 'All decisions' }).click();
    }
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  const { records } = buildFullLedger();
  const cases: readonly (readonly [string, Records])[] = [
    ['an altered entry', setFields(records, 3, 1, { type: 'stop', data: { reason: 'never' } })],
    ['an entry in other bytes', editLeaf(records, 3, 0, (text) => text.replace('"v":1', '"v": 1'))],
    ['a missing block', dropRecord(records, 3, 1)],
    ['another checkpoint', editNote(records, 7, (text) => text.replace(/\n\d+\n/, '\n99\n'))],
    [
      'an altered body',
      editBodies(records, 3, ({ head, items }) => ({
        head,
        items: items.map((item) => ({ ...item, ct: Buffer.from(item.ct).fill(1, 0, 1) })),
      })),
    ],
    ['missing bodies', dropRecord(records, 3, 2)],
  ];

  it.each(cases)('says of %s what the command line says', async (name, tampered) => {
    const file = stage.write(`${name.replaceAll(' ', '-')}.hpj`, streamOf(tampered));
    const verdict = await verifyExport(file, nothing);
    const [first] = verdict.findings;
    expect(verdict.ok).toBe(false);
    const { page, choose } = await stage.open();
    await choose(file);
    await verdictOn(page).waitFor();
    expect(await verdictOn(page).textContent()).toBe('Not intact');
    const finding = page.locator('.verdict .finding-first');
    expect(await finding.locator('.code').textContent()).toBe(first?.code);
    expect(await finding.locator('h3').textContent()).toContain(`The first bad entry is ${first?.seq}`);
    expect(await finding.innerText()).toContain('What to do:');
    await page.context().close();
  });

  it('says of a file that was cut what the command line says', async () => {
    const file = stage.write('cut.hpj', streamOf(records).subarray(0, -5));
    const [first] = (await verifyExport(file, nothing)).findings;
    const { page, choose } = await stage.open();
    await choose(file);
    const finding = page.locator('.verdict .finding-first');
    await finding.waitFor();
    expect(first?.code).toBe('store_unreadable');
    expect(await finding.innerText()).toContain(first?.message);
    await page.context().close();
  });

  it('reads the segments of a journal as one ledger', async () => {
    const whole = streamOf(records);
    const header = whole.subarray(0, 16);
    const end = 16 + 8 + whole.readUInt32BE(16);
    const { page, choose } = await stage.open();
    await choose(
      stage.write('journal-0000000002.hpj', Buffer.concat([header, whole.subarray(end)])),
      stage.write('journal-0000000001.hpj', whole.subarray(0, end)),
    );
    await verdictOn(page).waitFor();
    expect(await verdictOn(page).textContent()).toBe('Intact');
    await page.context().close();
  });

  it('says its verdict also on what is handed in before the browser has painted the page', async () => {
    // What the page leaves to the time after its first paint is never done.
    const { page, choose } = await stage.open({}, () => {
      window.requestAnimationFrame = () => 0;
      Object.assign(window, { setTimeout: () => 0 });
    });
    await choose(stage.write('early.hpj', streamOf(buildStories().records)));
    await verdictOn(page).waitFor();
    await page.context().close();
  });

  it('proves one entry under a trusted key, and nothing under none', async () => {
    const ledger = createLedgerBuilder({ seed: 'proof' });
    ledger.genesis();
    ledger.start();
    ledger.commit();
    const [first, second] = decodeBlock(ledger.records[0]?.value ?? Buffer.alloc(0)).leaves;
    const proof = formatTlogProof({
      seq: 1,
      hashes: [leafHashOf(first ?? Buffer.alloc(0)).toString('base64')],
      note: ledger.checkpoint(),
      ...(second === undefined ? {} : { leaf: second }),
    });
    const { page, choose } = await stage.open();
    await choose(stage.write('1.tlog-proof', proof));
    await page.locator('#proof').waitFor();
    expect(await page.locator('#proof').textContent()).toBe('Not proven');
    expect(await page.locator('.finding-first .code').textContent()).toBe('key_unknown');
    await choose(stage.write('proof.vkey', ledger.verifierKey));
    await page.getByRole('button', { name: 'Verify again with these' }).click();
    await page.getByRole('heading', { name: 'Proven', exact: true }).waitFor();
    expect(await page.locator('.verdict .source').textContent()).toContain('"type": "start"');
    await page.context().close();
  });

  it('refuses a private key and a file of the database with what to do', async () => {
    const { page, choose } = await stage.open();
    await choose(
      stage.write('signing.pem', '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n'),
      stage.write('000005.ldb', 'anything'),
    );
    const note = await page.getByRole('alert').innerText();
    expect(note).toContain('signing.pem: a private key. Nobody needs it');
    expect(note).toContain('000005.ldb: a file of the live database');
    await page.context().close();
  });
});
