/** A replay judges by what the record has, the whole of it, and names what it cannot read. */
import OpenAI, { toFile } from 'openai';
import { afterEach, describe, expect, test } from 'vitest';
import { HoldpointError } from '../../src/core/errors.ts';
import type { RuleTally } from '../../src/replay/tally.ts';
import { endAll } from '../support/endings.ts';
import { wholeAnswer } from '../support/raw-upstream.ts';
import type { TestSidecar } from '../support/sidecar.ts';
import { chatTransfer } from './answers.ts';
import { policyOf } from './policies.ts';
import { replay } from './replayed.ts';
import { startRig } from './rig.ts';

afterEach(endAll);

const nothing = 'version: "1"\nrules: []\n';
const question = '{"model":"gpt-4.1","messages":[]}';
const countsOf = ({ rule, now, before }: RuleTally) => ({ rule, now, before });

async function answered(policy: string = nothing): Promise<TestSidecar> {
  const rig = await startRig({ policy });
  await (await rig.chat(question)).until('Hello.');
  return rig.sidecar;
}

test('a decision that a rule flagged then counts as flagged then', async () => {
  const flagging = policyOf({
    phase: 'response',
    when: 'response.text.contains("Hello")',
    action: 'hold',
    match: '{ text: Hello }',
    noMatch: '{ text: none }',
  }).replace('action: hold', 'action: flag');
  const { tally } = await replay(await answered(flagging), nothing);
  expect(tally.verdicts()).toEqual([{ before: 'flag', now: 'pass', decisions: 1 }]);
});

test('a path that is too long for an entry is judged to its end, without its query', async () => {
  const path = `/v1/${'a'.repeat(300)}/end`;
  const rig = await startRig();
  await (await rig.post(`${path}?at=/other`, '{}')).answer();
  const endsWell = policyOf({
    phase: 'request',
    when: 'request.path.endsWith("/end")',
    action: 'hold',
    match: '{ path: /v1/end }',
    noMatch: '{ path: /v1/a }',
  });
  const { tally } = await replay(rig.sidecar, endsWell);
  expect(
    tally
      .rules()
      .filter(({ rule }) => rule === 'the-rule')
      .map(countsOf),
  ).toEqual([{ rule: 'the-rule', now: 1, before: 0 }]);
});

describe('what is stored and cannot be opened', () => {
  test.each([
    ['the disk has lost it', () => Promise.reject(new HoldpointError('ledger_damaged', 'Lost.', 'Look.'))],
    ['it is no message', () => Promise.resolve(Buffer.from('no message'))],
  ])('is named as damaged where %s, and has no verdict', async (_why, part) => {
    const sidecar = await answered();
    const { ledger } = sidecar.sidecar;
    const damaged = {
      newest: (before: number) => ledger.newest(before),
      decision: (seq: number) => ledger.decision(seq),
      entry: (seq: number) => ledger.entry(seq),
      part,
    };
    const { tally } = await replay(sidecar, nothing, { ledger: damaged });
    expect(tally.obstacles().map(({ phase, obstacle }) => [phase, obstacle])).toEqual([
      ['request', 'damaged'],
      ['response', 'damaged'],
    ]);
    expect(tally.verdicts()).toEqual([]);
  });
});

describe('of a batch', () => {
  const client = ({ proxyUrl }: TestSidecar): OpenAI =>
    new OpenAI({ baseURL: `${proxyUrl}/v1`, apiKey: 'sk-1', maxRetries: 0 });

  async function uploaded(...lines: readonly object[]): Promise<TestSidecar> {
    const { sidecar } = await startRig();
    const file = await toFile(Buffer.from(lines.map((line) => JSON.stringify(line)).join('\n')), 'b.jsonl');
    await client(sidecar)
      .files.create({ file, purpose: 'batch' })
      .asResponse()
      .catch(() => undefined);
    return sidecar;
  }

  const method = 'POST';
  const model = 'gpt-4.1';
  const chat = { method, url: '/v1/chat/completions', body: { model, messages: [] } };

  test('a line that could not be read then, for what stood around it, cannot be read now', async () => {
    const sidecar = await uploaded(
      { ...chat, custom_id: 'a' },
      { ...chat, custom_id: 'b', method: 'DELETE' },
    );
    const { tally } = await replay(sidecar, nothing);
    expect(tally.obstacles()).toEqual([]);
    // The file, and the line in it.
    expect(tally.rules().map(countsOf)).toEqual([{ rule: 'holdpoint:unreadable', now: 2, before: 2 }]);
  });

  test('a line is asked at its own path, and for what is asked there', async () => {
    const embedding = { method, url: '/v1/embeddings', body: { model, input: 'Hello.' } };
    const sidecar = await uploaded({ ...chat, custom_id: 'a' }, { ...embedding, custom_id: 'b' });
    const embeddings = policyOf({
      phase: 'request',
      when: 'request.operation == "embeddings" && request.path == "/v1/embeddings"',
      action: 'hold',
      match: '{ operation: embeddings, path: /v1/embeddings }',
      noMatch: '{ operation: files }',
    });
    const { tally } = await replay(sidecar, embeddings);
    // The file, and the line in it.
    expect(tally.rules().map(countsOf)).toEqual([{ rule: 'the-rule', now: 2, before: 0 }]);
  });

  test('an answer is one to what its line asked, and so it is in the file of them all', async () => {
    const { sidecar, upstream } = await startRig();
    const response = { status_code: 200, body: JSON.parse(chatTransfer(20)) };
    const answers = JSON.stringify({ id: 'r', custom_id: 'a', response, error: null });
    upstream.script((_request, answer) =>
      answer.send(wholeAnswer('200 OK', ['Content-Type: application/jsonl'], answers)),
    );
    await (await client(sidecar).files.content('file-1')).text();
    const transfers = policyOf({
      phase: 'response',
      when: 'request.operation == "chat.completions" && response.toolCalls.exists(c, c.name == "transfer_funds")',
      action: 'hold',
      match: '{ toolCalls: [{ name: transfer_funds }] }, request: { operation: chat.completions }',
      noMatch: '{ text: none }',
    });
    const { tally } = await replay(sidecar, transfers);
    expect(tally.obstacles()).toEqual([]);
    expect(tally.replayed()).toEqual({ request: 1, response: 2 });
    expect(tally.rules().map(countsOf)).toEqual([{ rule: 'the-rule', now: 2, before: 0 }]);
  });
});
