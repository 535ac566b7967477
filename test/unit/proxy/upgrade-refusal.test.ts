/** What is written to a bare socket in place of an upgrade: whole, byte for byte, and never behind something else. */
import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import { afterEach, expect, test } from 'vitest';
import { HoldpointError } from '../../../src/core/errors.ts';
import { refuseUpgrade, relayRefusal } from '../../../src/proxy/upgrade-refusal.ts';
import { endAll } from '../../support/endings.ts';
import { everythingFrom, pair } from '../../support/socket-pair.ts';

afterEach(endAll);

const refused = {
  status: 401,
  statusText: 'Unauthorized',
  headers: ['X-Who', 'M\xfcller', 'Content-Length', '999', 'holdpoint-decision', 'theirs'],
  body: Buffer.from('No.'),
};

test('a refusal of ours has its length in bytes, whatever letters it is of', async () => {
  const { caller, inner } = await pair();
  inner.setDefaultEncoding('latin1');
  refuseUpgrade(inner, new HoldpointError('no_upstream', 'Nobody is at /größe.'), null, 'd-1');
  const [head = '', body = ''] = (await everythingFrom(caller)).split('\r\n\r\n');
  expect(head).toMatch(/^HTTP\/1\.1 404 /);
  expect(head).toContain('holdpoint-decision: d-1');
  expect(Number(/content-length: (\d+)/.exec(head)?.[1])).toBe(Buffer.byteLength(body));
  expect(JSON.parse(body)).toMatchObject({ error: { code: 'no_upstream', message: 'Nobody is at /größe.' } });
});

test('a refusal of ours is not written behind what was ended already, nor breaks that off', async () => {
  const { caller, inner } = await pair();
  const errors: unknown[] = [];
  inner.on('error', (error) => errors.push(error));
  inner.end('the last word');
  refuseUpgrade(inner, new HoldpointError('internal', 'Too late.'), null, null);
  expect(await everythingFrom(caller)).toBe('the last word');
  expect(errors).toEqual([]);
});

test('the provider’s refusal goes on as it came, but for its length and whose decision it is', async () => {
  const { caller, inner } = await pair();
  caller.setEncoding('latin1');
  expect(await relayRefusal(inner, refused, 'd-1')).toBe(true);
  expect(await everythingFrom(caller)).toBe(
    'HTTP/1.1 401 Unauthorized\r\nX-Who: M\xfcller\r\ncontent-length: 3\r\nconnection: close\r\nholdpoint-decision: d-1\r\n\r\nNo.',
  );
});

test('the provider’s refusal has not arrived where its caller leaves before all of it was sent', async () => {
  const { inner } = await pair();
  const arrived = relayRefusal(inner, refused, 'd-1');
  inner.destroy();
  expect(await arrived).toBe(false);
});

test('the provider’s refusal does not arrive where its caller has left', async () => {
  const { inner } = await pair();
  inner.destroy();
  await once(inner, 'close');
  expect(await relayRefusal(inner, refused, 'd-1')).toBe(false);
});

test.each([
  [
    'ours',
    (inner: Duplex) => refuseUpgrade(inner, new HoldpointError('no_upstream', 'Nobody.'), null, 'd-1'),
  ],
  ['the provider’s', (inner: Duplex) => relayRefusal(inner, refused, 'd-1')],
])(
  'what the caller goes on to send does not hide that it leaves: after a refusal of %s',
  async (_whose, refuse) => {
    const { caller, inner } = await pair();
    const refusing = refuse(inner);
    const ended = once(inner, 'end');
    caller.end('what nobody reads');
    await Promise.all([refusing, ended]);
  },
);
