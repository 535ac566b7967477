/**
 * What a workload's SDK sees of a call that is held, whichever family it speaks: the same scenarios for each,
 * through a sidecar whose upstream is made of bytes.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ProtocolName } from '../../src/core/protocol-name.ts';
import { endAll } from '../support/endings.ts';
import { chunk, type RawUpstream, startRawUpstream, wholeAnswer } from '../support/raw-upstream.ts';
import { startTestSidecar, type TestSidecar } from '../support/sidecar.ts';
import { holdTransfers, policyOf } from './policies.ts';

export interface Said {
  readonly text: string;
  readonly calls: readonly { readonly name: string; readonly args: unknown }[];
  /** True where the SDK raises nothing but says that the answer failed. */
  readonly failed?: boolean;
}

export interface AskOptions {
  readonly stream: boolean;
  readonly prompt: string;
  readonly shown?: (text: string) => void;
}

export interface Family {
  readonly protocol: ProtocolName;
  /** Asks through the SDK; `shown` is told each piece of text of a stream as the SDK hands it on. */
  ask(origin: string, options: AskOptions): Promise<Said>;
  readonly wholeText: string;
  wholeTransfer(amount: number): string;
  readonly streamType: string;
  /** Events of a stream: two pieces of text, `One ` and `moment.`; a call of transfer_funds; the end. */
  readonly text: readonly string[];
  transfer(amount: number): readonly string[];
  readonly end: readonly string[];
  /** Checks what the SDK raises for 403. */
  expectDenied(error: unknown): void;
  /** Checks what comes of a stream that is denied after its text. */
  expectDeniedInBand(outcome: Outcome): void;
  /** Sends the text to be embedded. */
  embed(origin: string, text: string): Promise<unknown>;
}

export type Outcome = { readonly said: Said } | { readonly error: unknown };

const rulesStart = 'version: "1"\nrules:\n';
/** Holds large transfers, and denies what would send a secret out. */
const policy = `${holdTransfers}${policyOf({
  phase: 'request',
  when: 'request.text.contains("sk-secret")',
  action: 'deny',
  match: '{ text: sk-secret }',
  noMatch: '{ text: nothing }',
})
  .slice(rulesStart.length)
  .replace('the-rule', 'no-secrets')}`;

export async function outcomeOf(said: Promise<Said>): Promise<Outcome> {
  return said.then(
    (value) => ({ said: value }),
    (error: unknown) => ({ error }),
  );
}

const headOf = (type: string) =>
  `HTTP/1.1 200 OK\r\nContent-Type: ${type}\r\nTransfer-Encoding: chunked\r\n\r\n`;
const nothing = (): void => undefined;

/** Tests one family. */
export function provesFamily(family: Family): void {
  let upstream: RawUpstream;
  let sidecar: TestSidecar;
  let questions = 0;

  /** A question that was not asked before: what was denied once is denied at once for a while. */
  function another(): string {
    questions += 1;
    return `Please, for the ${questions}. time.`;
  }

  beforeAll(async () => {
    upstream = await startRawUpstream(nothing);
    const upstreams = { provider: { url: upstream.url, protocol: family.protocol, mount: '/' } };
    sidecar = await startTestSidecar({ policy, upstreams });
  });
  afterAll(endAll);

  function answerWhole(body: string): void {
    upstream.script((_request, answer) =>
      answer.send(wholeAnswer('200 OK', ['Content-Type: application/json'], body)),
    );
  }

  /** Streams the text, then waits for the test, then the call. */
  function answerStream(amount: number): { goOn: () => void } {
    const { promise, resolve } = Promise.withResolvers<void>();
    upstream.script(async (_request, answer) => {
      answer.send(headOf(family.streamType));
      for (const event of family.text) answer.send(chunk(event));
      await promise;
      for (const event of [...family.transfer(amount), ...family.end]) answer.send(chunk(event));
      answer.send('0\r\n\r\n');
    });
    return { goOn: resolve };
  }

  /** Asks for a stream; resolves once the SDK has shown all of the text, the answer still to come. */
  async function askUntilText(): Promise<{ outcome: Promise<Outcome>; shown: () => string }> {
    let shown = '';
    const seen = Promise.withResolvers<void>();
    const asked = family.ask(sidecar.proxyUrl, {
      stream: true,
      prompt: another(),
      shown: (text) => {
        shown += text;
        if (shown === 'One moment.') seen.resolve();
      },
    });
    const outcome = outcomeOf(asked);
    void outcome.then((over) => seen.reject(new Error(`It ended before its text: ${JSON.stringify(over)}`)));
    await seen.promise;
    return { outcome, shown: () => shown };
  }

  const transfer = (amount: number) => [
    { name: 'transfer_funds', args: expect.objectContaining({ amount }) },
  ];

  describe('a whole answer', () => {
    test('that no rule stops reaches the SDK', async () => {
      answerWhole(family.wholeText);
      const said = await family.ask(sidecar.proxyUrl, { stream: false, prompt: another() });
      expect(said).toMatchObject({ text: 'One moment.', calls: [] });
      const { entries } = await sidecar.ada.lastDecision();
      expect(entries.find(({ type }) => type === 'response')?.data).toMatchObject({
        usage: { source: 'provider', input: 7, output: 5 },
      });
    });

    test('with a held call reaches the SDK once it is released', async () => {
      answerWhole(family.wholeTransfer(25_000));
      const asked = family.ask(sidecar.proxyUrl, { stream: false, prompt: another() });
      await sidecar.ada.rule(await sidecar.ada.nextHold(), { verdict: 'release' });
      expect((await asked).calls).toEqual(transfer(25_000));
    });

    test('with a call that is denied raises the SDK’s own error', async () => {
      answerWhole(family.wholeTransfer(25_000));
      const before = upstream.requests.length;
      const outcome = outcomeOf(family.ask(sidecar.proxyUrl, { stream: false, prompt: another() }));
      await sidecar.ada.rule(await sidecar.ada.nextHold(), { verdict: 'deny' });
      const ended = await outcome;
      if ('said' in ended) throw new Error('Nothing was raised.');
      family.expectDenied(ended.error);
      expect(upstream.requests).toHaveLength(before + 1);
    });

    test('with a call that is amended reaches the SDK as amended', async () => {
      answerWhole(family.wholeTransfer(25_000));
      const asked = family.ask(sidecar.proxyUrl, { stream: false, prompt: another() });
      await amend();
      expect((await asked).calls).toEqual(transfer(9));
    });
  });

  describe('a stream', () => {
    test('shows its text at once and its call when it is released', async () => {
      const { goOn } = answerStream(25_000);
      const { outcome } = await askUntilText();
      goOn();
      await sidecar.ada.rule(await sidecar.ada.nextHold(), { verdict: 'release' });
      expect(await outcome).toMatchObject({ said: { text: 'One moment.', calls: transfer(25_000) } });
    });

    test('with a call that no rule stops reaches the SDK', async () => {
      const { goOn } = answerStream(20);
      const { outcome } = await askUntilText();
      goOn();
      expect(await outcome).toMatchObject({ said: { text: 'One moment.', calls: transfer(20) } });
    });

    test('that is denied after its text ends in what the SDK makes of a failure', async () => {
      const { goOn } = answerStream(25_000);
      const { outcome, shown } = await askUntilText();
      goOn();
      await sidecar.ada.rule(await sidecar.ada.nextHold(), { verdict: 'deny' });
      family.expectDeniedInBand(await outcome);
      expect(shown()).toBe('One moment.');
    });

    test('whose call is amended does not repeat its text', async () => {
      const { goOn } = answerStream(25_000);
      const { outcome } = await askUntilText();
      goOn();
      await amend();
      expect(await outcome).toMatchObject({ said: { text: 'One moment.', calls: transfer(9) } });
    });

    test('that is cut off before its end is seen to be', async () => {
      upstream.script((_request, answer) => {
        answer.send(headOf(family.streamType));
        for (const event of family.text) answer.send(chunk(event));
        answer.send('0\r\n\r\n');
      });
      expect(
        await outcomeOf(family.ask(sidecar.proxyUrl, { stream: true, prompt: another() })),
      ).toHaveProperty('error');
    });
  });

  test('a secret in what is to be embedded is seen by the rules', async () => {
    const before = upstream.requests.length;
    const error = await family.embed(sidecar.proxyUrl, 'my key is sk-secret').then(
      () => 'nothing was raised',
      (raised: unknown) => raised,
    );
    family.expectDenied(error);
    expect(upstream.requests).toHaveLength(before);
  });

  async function amend(): Promise<void> {
    const hold = await sidecar.ada.nextHold();
    const [id] = await sidecar.ada.callIdsOf(hold);
    const amendment = { toolCalls: [{ id, arguments: { amount: 9 } }] };
    expect(await sidecar.ada.rule(hold, { verdict: 'amend', amendment })).toMatchObject({ status: 201 });
  }
}
