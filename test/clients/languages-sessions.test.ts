/** Live sessions of clients in other languages: what they are told through the sidecar, a held call included. */
import { LLMock } from '@copilotkit/aimock';
import { afterEach, describe, expect, test } from 'vitest';
import { holdTransfers } from '../proxy/policies.ts';
import { type Ran, run } from '../proxy/through.ts';
import { atEnd, endAll } from '../support/endings.ts';
import { startTestSidecar } from '../support/sidecar.ts';
import { sessionPrograms, titled } from './languages/programs.ts';

afterEach(endAll);

describe.each(titled(sessionPrograms))('$title', ({ program: { direct, missing } }) => {
  test.skipIf(missing !== '')(
    'is told what it is told without the sidecar, and goes on after a hold',
    async () => {
      const mock = new LLMock({ port: 0 });
      await mock.start();
      atEnd(() => mock.stop());
      const transfer = { name: 'transfer_funds', arguments: '{"amount":25000,"payee":"ACME"}' };
      mock.onMessage('Pay ACME.', { toolCalls: [transfer] });
      mock.onMessage('Hello.', { content: 'Good day to you.' });
      const { proxyUrl, ada } = await startTestSidecar({
        policy: holdTransfers,
        upstreams: { openai: { url: mock.url, protocol: 'openai', mount: '/' } },
      });
      const ask = (base: string): Promise<Ran> => {
        const url = `${base.replace('http', 'ws')}/v1/realtime?model=gpt-realtime`;
        return run(direct.command, [...direct.before, url, 'Hello.', 'Pay ACME.', 'Hello.'], {});
      };
      const expected = await ask(mock.url);
      expect(expected.out.match(/^response\.done/gm)).toHaveLength(3);
      expect(expected.out).toMatch(/\nclosed\t1000\n$/);
      const through = ask(proxyUrl);
      await ada.rule(await ada.nextHold(), { verdict: 'release' });
      expect(await through).toEqual(expected);
    },
  );
});
