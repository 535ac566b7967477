/** What a command asks of the sidecar, to the letter, and what it makes of answers that a sound sidecar gives rarely. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type PlayedSidecar, playSidecar } from '../../support/played-sidecar.ts';
import { run } from '../support/process.ts';

const digest = '7d'.repeat(32);
const hold = {
  ...{ id: 'h-1', decisionId: 'd-1', state: 'released', severity: 'high', headline: 'pay', workload: 'w' },
  ...{ model: '', digest, contentDigest: digest, assignee: '', commentCount: 0, caller: 'waiting' },
  ...{ openedAt: '2026-11-26T10:00:00.000Z', expiresAt: '2026-11-26T10:15:00.000Z', roles: ['reviewer'] },
  approvals: { needed: 1, given: [], byRole: [] },
};
const erasure = {
  ...{ id: 'e-1', state: 'done', dryRun: false, decisions: 1, erased: 1, parts: 2, refused: {} },
  ...{ entries: [7], bytesWiped: 9, bytesReclaimed: 0, error: null },
};

let sidecar: PlayedSidecar;
let env: PlayedSidecar['env'];
let asked: unknown[];
let answers: Record<string, string>;
beforeAll(async () => {
  sidecar = await playSidecar(async (req, res) => {
    const chunks: Buffer[] = [];
    for await (const chunk of req) chunks.push(chunk);
    const what = `${req.method} ${req.url}`;
    if (req.method === 'POST') asked.push([req.url, Buffer.concat(chunks).toString('utf8')]);
    const answer = answers[what] ?? '';
    if (answer.startsWith('/')) res.writeHead(307, { location: answer }).end();
    else res.setHeader('content-type', 'application/json').end(answer);
  });
  env = sidecar.env;
});
beforeEach(() => {
  asked = [];
  const item = { id: 'h-1', hold, refusal: null };
  answers = {
    'GET /api/v1/holds/h-1': JSON.stringify(hold),
    'GET /api/v1/holds?id=h-1': JSON.stringify({ items: [hold] }),
    'GET /api/v1/holds?id=h-2': JSON.stringify({ items: [{ ...hold, id: 'h-2' }] }),
    'POST /api/v1/holds/h-1/rulings': JSON.stringify(hold),
    'POST /api/v1/rulings': JSON.stringify({ ruled: 2, refused: 0, items: [item, item] }),
    'POST /api/v1/erasures': JSON.stringify(erasure),
    'POST /api/v1/erasures/e-1/stop': JSON.stringify({ ...erasure, state: 'stopped', stoppedBy: 'otto' }),
    'POST /api/v1/legal-holds': JSON.stringify({ id: 'l-1', by: 'petra', reason: 'r', scope: {} }),
  };
});
afterAll(() => sidecar.close());

const because = ['--reason', 'r'];
const basis = ['--basis', 'objection', ...because];
const ofClass = { basis: 'objection', reason: 'r', scope: { match: { workload: 'w' } }, dryRun: false };

it.each([
  [
    ['erase', 'class', '--workload', 'w', '--before', '2026-01-01T00:00:00Z', ...basis],
    '/api/v1/erasures',
    { ...ofClass, scope: { match: { workload: 'w' }, before: '2026-01-01T00:00:00Z' } },
  ],
  [['erase', 'class', '--workload', 'w', ...basis], '/api/v1/erasures', ofClass],
  [['erase', 'stop', 'e-1', ...because], '/api/v1/erasures/e-1/stop', { reason: 'r' }],
  [
    ['legal-hold', 'place', '--workload', 'w', '--model', 'm', ...because],
    '/api/v1/legal-holds',
    { scope: { match: { model: 'm', workload: 'w' } }, reason: 'r' },
  ],
  [
    ['holds', 'release', 'h-1', '--in-stead', 'ada'],
    '/api/v1/holds/h-1/rulings',
    { verdict: 'release', reason: '', digest, inStead: 'ada' },
  ],
  [
    ['holds', 'release', 'h-1', '--calls', 'c-1,c-2', ...because],
    '/api/v1/holds/h-1/rulings',
    { verdict: 'release', reason: 'r', digest, calls: ['c-1', 'c-2'] },
  ],
  [
    ['holds', 'release', 'h-1', '--break-glass', ...because],
    '/api/v1/holds/h-1/rulings',
    { verdict: 'release', reason: 'r', digest, breakGlass: true },
  ],
  [
    ['holds', 'release', 'h-1', 'h-2', 'h-1'],
    '/api/v1/rulings',
    { contentDigest: digest, verdict: 'release', reason: '', holds: ['h-1', 'h-2'] },
  ],
])('%j asks for that and no more', async (args, path, body) => {
  const { code, err } = await run(args, env);
  expect([code, err]).toEqual([0, '']);
  expect(asked).toEqual([[path, JSON.stringify(body)]]);
});

describe('nothing is asked where', () => {
  it.each([
    [['legal-hold', 'place', '--subject', 's', '--workload', 'w', ...because], 'Name one of'],
    [['legal-hold', 'place', '--subject', 's', '--decision', 'd-1', ...because], 'Name one of'],
    [['holds', 'release', 'h-1', '--break-glass'], '--reason is required'],
    [['holds', 'release', 'h-1', '--calls', 'c-1'], '--reason is required'],
    [['holds', 'release', 'h-1', 'h-2', '--break-glass', ...because], 'Name one hold'],
    [['holds', 'release', 'h-1', 'h-2', '--calls', 'c-1', ...because], 'Name one hold'],
    [['holds', 'deny', 'h-1', 'h-2', '--digest', digest, ...because], 'Name one hold'],
    [['holds', 'deny', 'h-1', 'h-2', '--in-stead', 'ada', ...because], 'Name one hold'],
  ])('%j says too much or too little', async (args, said) => {
    const { code, err } = await run(args, env);
    expect([code, asked]).toEqual([2, []]);
    expect(err).toContain(said);
  });

  it('what several holds hold cannot be compared', async () => {
    for (const id of ['h-1', 'h-2'])
      answers[`GET /api/v1/holds?id=${id}`] = JSON.stringify({ items: [{ ...hold, id, contentDigest: '' }] });
    const { code, err } = await run(['holds', 'release', 'h-1', 'h-2'], env);
    expect([code, asked]).toEqual([1, []]);
    expect(err).toContain('bytes that cannot be compared: h-1 h-2');
  });
});

it('a ruling is not carried on to where an answer leads', async () => {
  answers['POST /api/v1/holds/h-1/rulings'] = '/api/v1/holds/h-2/rulings';
  const { code } = await run(['holds', 'release', 'h-1'], env);
  expect([code, asked]).toEqual([3, [['/api/v1/holds/h-1/rulings', expect.any(String)]]]);
});

it('an export has every page', async () => {
  const page = (id: string, next: number | null) => JSON.stringify({ items: [{ id }], next });
  answers['GET /api/v1/decisions?model=m&limit=200'] = page('d-2', 7);
  answers['GET /api/v1/decisions?model=m&limit=200&before=7'] = page('d-1', null);
  const { code, out } = await run(['decisions', 'export', '--model', 'm'], env);
  expect([code, out]).toEqual([0, '{"id":"d-2"}\n{"id":"d-1"}\n']);
});

it('an erasure that failed is a finding, and says why', async () => {
  answers['POST /api/v1/erasures'] = JSON.stringify({ ...erasure, state: 'failed', error: 'ledger_damaged' });
  const { code, out } = await run(['erase', 'subject', 's', ...basis], env);
  expect([code, out.split('\n').at(-2)]).toEqual([1, '  failed: ledger_damaged']);
});

it.each([
  [{ state: 'stopped', stoppedBy: 'otto' }, 0, 'stopped by otto: what was erased before stays erased'],
  [{ state: 'done', stoppedBy: 'otto' }, 1, 'erased 2 bodies of 1 decision (1 judged)'],
  [{ state: 'stopped', decisions: 0 }, 0, 'stopped by somebody: what was erased before stays erased'],
])('an erasure that is to be stopped, and ends as %j, exits with %i', async (ended, exit, first) => {
  answers['POST /api/v1/erasures/e-1/stop'] = JSON.stringify({ ...erasure, ...ended });
  const { code, out } = await run(['erase', 'stop', 'e-1', ...because], env);
  expect([code, out.split('\n')[0]]).toEqual([exit, first]);
});

describe('of an answer to a report', () => {
  const sealed = (line: number) => JSON.stringify({ line, id: `r-${line}`, status: 'sealed' });
  const last = JSON.stringify({ summary: { complete: true } });

  it.each([
    ['whose last line is missing', [sealed(1), sealed(2)]],
    ['that has a line too few', [sealed(1), last]],
  ])('%s nothing is told as sealed', async (_, lines) => {
    answers['POST /api/v1/decisions:batch'] = lines.join('\n');
    const directory = mkdtempSync(join(tmpdir(), 'holdpoint-orders-'));
    const file = join(directory, 'decisions.ndjson');
    writeFileSync(file, '{}\n{}\n');
    const { code, out, err } = await run(['decisions', 'report', file], env);
    rmSync(directory, { recursive: true });
    expect([code, out]).toEqual([3, '']);
    expect(err).toContain('The answer was cut off.\nRun the same command again');
  });
});
