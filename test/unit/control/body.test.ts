/** Reading a body within its bounds. */
import { EventEmitter } from 'node:events';
import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { bodyMsMax, readJsonBody } from '../../../src/control/http.ts';

function request(): IncomingMessage {
  const req = new IncomingMessage(new Socket());
  req.headers['content-type'] = 'application/json; charset=utf-8';
  return req;
}

const asked = (req: IncomingMessage) => ({ req, stillMay: () => Promise.resolve() });

describe('readJsonBody', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }));
  afterEach(() => void vi.useRealTimers());

  it('gives up on a body that takes too long', async () => {
    const req = request();
    const read = readJsonBody(asked(req));
    req.push('{"a":');
    const refused = expect(read).rejects.toMatchObject({
      code: 'invalid_argument',
      message: 'The body took too long.',
    });
    await vi.advanceTimersByTimeAsync(bodyMsMax);
    await refused;
    expect(EventEmitter.listenerCount(req, 'data')).toBe(0);
  });

  it('waits as long as that for one that is merely slow', async () => {
    const req = request();
    const read = readJsonBody(asked(req));
    req.push('{"a":');
    await vi.advanceTimersByTimeAsync(bodyMsMax - 1);
    req.push('1}');
    req.push(null);
    expect(await read).toEqual({ a: 1 });
    expect(vi.getTimerCount()).toBe(0);
  });

  it.each([
    ['what is no UTF-8', Buffer.from('{"reason":"Zo\xeb"}', 'latin1')],
    ['a key that is there twice', Buffer.from('{"verdict":"deny","verdict":"release"}')],
    ['one that is written in two ways', Buffer.from('{"verdict":"deny","\\u0076erdict":"release"}')],
    ['a key that names the prototype', Buffer.from('{"__proto__":{"verdict":"release"}}')],
    ['a number that a double does not keep', Buffer.from('{"amount":9007199254740993}')],
    ['what is no JSON', Buffer.from('{verdict:"deny"}')],
  ])('refuses %s', async (_, bytes) => {
    const req = request();
    req.push(bytes);
    req.push(null);
    await expect(readJsonBody(asked(req))).rejects.toMatchObject({ code: 'invalid_argument' });
  });

  it('refuses nesting that recursive readers would fall over, and brackets in texts are none', async () => {
    const deep = request();
    deep.push(`${'['.repeat(101)}${']'.repeat(101)}`);
    deep.push(null);
    await expect(readJsonBody(asked(deep))).rejects.toMatchObject({ code: 'invalid_argument' });
    const flat = request();
    const value = { text: `\\"${'['.repeat(500)}` };
    flat.push(JSON.stringify(value));
    flat.push(null);
    expect(await readJsonBody(asked(flat))).toEqual(value);
  });
});
