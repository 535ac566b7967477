/** A caller of HTTP/2 that resets a stream while it sends: its body has no end, and the call was never made. */
import { constants } from 'node:http2';
import { afterEach, expect, test } from 'vitest';
import { endAll } from '../support/endings.ts';
import { connectRaw } from '../support/raw-client.ts';
import { waitFor } from '../support/wait-for.ts';
import { startRig } from './rig.ts';

afterEach(endAll);

/** One frame of a stream (RFC 9113 section 4.1), for what no client of Node sends. */
function frame(type: number, flags: number, stream: number, payload: Buffer): Buffer {
  const head = Buffer.from([0, 0, payload.length, type, flags, 0, 0, 0, stream]);
  return Buffer.concat([head, payload]);
}

/** A field as it is, of no table (RFC 7541 section 6.2.2). */
function field(name: string, value: string): Buffer {
  return Buffer.from(
    `\0${String.fromCharCode(name.length)}${name}${String.fromCharCode(value.length)}${value}`,
  );
}

test('a caller that takes its call back before all of the body was sent has asked for nothing', async () => {
  const rig = await startRig();
  const settings = 4;
  const [data, headers, reset] = [0, 1, 3];
  const asked = [field(':path', '/v1/of-no-known-kind'), field(':scheme', 'http'), field(':authority', 'it')];
  const client = await connectRaw(rig.sidecar.proxyUrl);
  client.send(
    Buffer.concat([Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), frame(settings, 0, 0, Buffer.of())]),
  );
  client.send(frame(headers, 4, 1, Buffer.concat([field(':method', 'POST'), ...asked])));
  client.send(frame(data, 0, 1, Buffer.from('The beginning of an upload')));
  // Behind it on the same connection: once this is answered, what came before it has been read.
  client.send(frame(headers, 5, 3, Buffer.concat([field(':method', 'GET'), ...asked])));
  await client.until('Hello.');
  client.send(frame(reset, 0, 1, Buffer.of(0, 0, 0, constants.NGHTTP2_CANCEL)));
  client.send(frame(headers, 5, 5, Buffer.concat([field(':method', 'DELETE'), ...asked])));
  await waitFor(() => expect(rig.upstream.requests).toHaveLength(2));
  const listed = await rig.sidecar.ada.newestIds(10);
  const seen = await Promise.all(listed.map((id) => rig.sidecar.ada.decision(id)));
  expect(seen.map(({ entries: [request] }) => request?.data['method'])).toEqual(['DELETE', 'GET']);
});
