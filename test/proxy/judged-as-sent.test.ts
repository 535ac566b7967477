/** What rules judge of a request's fields is what the provider is sent: nothing is judged that stays behind. */
import { afterEach, describe, expect, test } from 'vitest';
import { endAll } from '../support/endings.ts';
import { connectRaw, rawRequest } from '../support/raw-client.ts';
import { wholeAnswer } from '../support/raw-upstream.ts';
import { chatRequest, chatText } from './answers.ts';
import { holdUnlistedModels, policyOf } from './policies.ts';
import { decisionIdOf, startRig } from './rig.ts';

afterEach(endAll);

const demandBeta = policyOf({
  phase: 'request',
  when: '("openai-beta" in request.headers && request.headers["openai-beta"] == "guarded") == false',
  action: 'deny',
  match: '{ headers: {} }',
  noMatch: '{ headers: { openai-beta: guarded } }',
});

describe('a field that a rule demands', () => {
  test('counts where it goes on', async () => {
    const rig = await startRig({ policy: demandBeta });
    const client = await rig.chat(chatRequest(), ['OpenAI-Beta: guarded']);
    expect((await client.answer()).status).toBe(200);
    expect(rig.upstream.requests[0]?.head).toMatch(/openai-beta: guarded/i);
  });

  test('does not count where the connection keeps it to itself', async () => {
    const rig = await startRig({ policy: demandBeta });
    const client = await rig.chat(chatRequest(), ['OpenAI-Beta: guarded', 'Connection: OpenAI-Beta']);
    expect((await client.answer()).status).toBe(403);
    expect(rig.upstream.requests).toEqual([]);
  });

  test('is all of its values, so that no second one goes on unjudged', async () => {
    const rig = await startRig({ policy: demandBeta });
    const client = await rig.chat(chatRequest(), ['OpenAI-Beta: guarded', 'OpenAI-Beta: none']);
    expect((await client.answer()).status).toBe(403);
    expect(rig.upstream.requests).toEqual([]);
  });
});

test.each(['Content-Encoding: identity', 'Content-Type: application/json'])(
  'a request is refused whose connection would keep to itself how its body is to be read: %s',
  async (field) => {
    const rig = await startRig();
    const [name = ''] = field.split(':');
    const client = await rig.chat(chatRequest(), [field, `Connection: ${name}`]);
    expect((await client.answer()).status).toBe(400);
    expect(rig.upstream.requests).toEqual([]);
  },
);

describe('a body in a charset', () => {
  /** In GBK the last byte of the character and the backslash behind it are one character. */
  const messages = [{ role: 'user', content: '\u4f60\\', name: ',"content":"a secret","x":' }];
  const body = JSON.stringify({ model: 'gpt-4.1', messages });

  test.each(['gbk', '"Shift_JIS"', 'utf-16le', 'ibm037', 'utf-8; charset=big5'])(
    'that hides what rules read from them is refused: %s',
    async (charset) => {
      const rig = await startRig();
      const client = await rig.chat(body, [`Content-Type: application/json; charset=${charset}`]);
      expect((await client.answer()).status).toBe(400);
      expect(rig.upstream.requests).toEqual([]);
    },
  );

  test.each(['UTF-8', '"utf8"', 'ISO-8859-1'])('with the same structure goes on: %s', async (charset) => {
    const rig = await startRig();
    const client = await rig.chat(chatRequest(), [`Content-Type: application/json; charset=${charset}`]);
    expect((await client.answer()).status).toBe(200);
  });

  test.each(['application/json', 'text/event-stream'])('is no %s to pass unheld', async (type) => {
    const rig = await startRig();
    const headers = [`Content-Type: ${type}; charset=gbk`];
    rig.upstream.script((_request, to) => to.send(wholeAnswer('200 OK', headers, chatText('Hi.'))));
    await rig.chat(chatRequest());
    expect(await rig.sidecar.ada.nextHold()).toMatchObject({ phase: 'response' });
  });
});

describe('a request that names another method in a field,', () => {
  test.each(['X-HTTP-Method-Override', 'X-HTTP-Method', 'X-Method-Override'])(
    'which a provider may take for its own, is refused: %s',
    async (name) => {
      const rig = await startRig();
      const client = await connectRaw(rig.sidecar.proxyUrl);
      client.send(rawRequest('DELETE', '/v1/responses/resp_1', [`${name}: GET`]));
      expect((await client.answer()).status).toBe(400);
      expect(rig.upstream.requests).toEqual([]);
    },
  );

  test('or the very same, is none', async () => {
    const rig = await startRig();
    const client = await rig.chat(chatRequest(), ['X-HTTP-Method-Override: post']);
    expect((await client.answer()).status).toBe(200);
  });
});

describe('a call in a form that nobody here reads, such as Google takes it,', () => {
  const form = 'multipart/mixed; boundary=x';
  const parts = '--x\r\nContent-Type: application/http\r\n\r\nPOST /v1beta/x HTTP/1.1\r\n\r\n{}\r\n--x--';

  test.each([
    ['gRPC', '/google.ai.v1.GenerativeService/GenerateContent', 'application/grpc', '\0\0\0\0\0'],
    ['gRPC of a browser', '/v1/chat/completions', 'Application/GRPC-Web+proto', '\0\0\0\0\0'],
    ['protobuf', '/$rpc/google.ai.v1.GenerativeService/GenerateContent', 'application/x-protobuf', '\n'],
    ['the same, its $ written otherwise', '/%24RPC/x.Service/Call', 'application/json+protobuf', '[]'],
    ['requests in parts', '/batch', form, parts],
    ['requests in parts for one API', '/batch/generativelanguage/v1beta', form, parts],
  ])('is refused, and recorded: %s', async (_what, target, type, body) => {
    const rig = await startRig();
    const { head } = await (await rig.post(target, body, [`Content-Type: ${type}`])).answer();
    expect(await rig.sidecar.ada.outcomeOf(decisionIdOf(head))).toBe('denied');
    expect(rig.upstream.requests).toEqual([]);
  });

  test.each([
    ['/batch', 'application/json', '{}'],
    ['/rpc/x', 'application/x-protobuf', '\n'],
    ['/v1/batches/multipart', form, parts],
  ])('is not taken for one where nothing says so: %s %s', async (target, type, body) => {
    const rig = await startRig();
    const { status } = await (await rig.post(target, body, [`Content-Type: ${type}`])).answer();
    expect(status).toBe(200);
  });
});

describe('a path whose dot segments lead to another place for some providers', () => {
  test.each([
    '/v1/x%3F/../chat/completions',
    '/v1/chat/completions//..',
    '/anthropic/../v1/chat/completions',
  ])('is refused, and recorded: %s', async (target) => {
    const rig = await startRig({ policy: holdUnlistedModels });
    const client = await rig.post(target, chatRequest({ model: 'gpt-unheard-of' }));
    const { status, head } = await client.answer();
    expect(status).toBe(400);
    expect(rig.upstream.requests).toEqual([]);
    expect(await rig.sidecar.ada.outcomeOf(decisionIdOf(head))).toBe('denied');
  });
});
