/** gRPC, which Holdpoint does not read and so does not carry: a client of it is told so in its own terms. */
import { afterEach, describe, expect, test } from 'vitest';
import { run } from '../proxy/through.ts';
import { endAll } from '../support/endings.ts';
import { startRawUpstream, wholeAnswer } from '../support/raw-upstream.ts';
import { startTestSidecar } from '../support/sidecar.ts';
import { grpcProgram, titled } from './languages/programs.ts';

afterEach(endAll);

describe.each(titled([grpcProgram]))('$title', ({ program: { direct, missing } }) => {
  test.skipIf(missing !== '')(
    'is told that its calls are not carried, and what to do; nothing goes out',
    async () => {
      const upstream = await startRawUpstream((_request, answer) =>
        answer.send(wholeAnswer('200 OK', [], '')),
      );
      const { proxyUrl, ada } = await startTestSidecar({
        upstreams: { google: { url: upstream.url, protocol: 'gemini', mount: '/' } },
      });
      const methods = [
        '/xai_api.Chat/GetCompletion',
        '/google.ai.generativelanguage.v1beta.GenerativeService/GenerateContent',
      ];
      const { out } = await run(direct.command, [...direct.before, new URL(proxyUrl).host, ...methods], {});
      const told = /^UNIMPLEMENTED\t.*gRPC is not read here, and not carried on; have the client use REST/;
      const lines = out.trimEnd().split('\n');
      expect(lines).toHaveLength(methods.length);
      for (const line of lines) expect(line).toMatch(told);
      expect(upstream.requests).toEqual([]);
      expect(await ada.outcomeOf((await ada.lastDecision()).id)).toBe('denied');
    },
  );
});
