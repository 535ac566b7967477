/** Amazon's binary streams as Bedrock sends them, written independently of what is tested here. */
import { crc32 } from 'node:zlib';

/** One frame of `application/vnd.amazon.eventstream`: lengths and CRCs around string headers and the payload. */
export function amazonFrame(headers: Readonly<Record<string, string>>, payload: string): Buffer {
  const encoded = Object.entries(headers).map(([name, value]) => {
    const length = Buffer.alloc(2);
    length.writeUInt16BE(Buffer.byteLength(value));
    const stringType = Buffer.from([7]);
    return Buffer.concat([
      Buffer.from([name.length]),
      Buffer.from(name),
      stringType,
      length,
      Buffer.from(value),
    ]);
  });
  const body = Buffer.concat([...encoded, Buffer.from(payload)]);
  const prelude = Buffer.alloc(12);
  prelude.writeUInt32BE(body.length + 16, 0);
  prelude.writeUInt32BE(body.length - Buffer.byteLength(payload), 4);
  prelude.writeUInt32BE(crc32(prelude.subarray(0, 8)), 8);
  const unsigned = Buffer.concat([prelude, body]);
  const checksum = Buffer.alloc(4);
  checksum.writeUInt32BE(crc32(unsigned));
  return Buffer.concat([unsigned, checksum]);
}

const preludeBytes = 12;
const checksumBytes = 4;
/** A type byte and two of length stand between the name and its value. */
const eventType = /:event-type[\s\S]{3}([A-Za-z]+)/;

/**
 * The mock's stream as Amazon documents it: each event of InvokeModel as base64 in a `chunk`, and in Converse no
 * start of a block that is no tool call.
 */
export function asAmazonSends(stream: Buffer): Buffer {
  const frames: Buffer[] = [];
  for (let at = 0; at < stream.length; ) {
    const frame = stream.subarray(at, at + stream.readUInt32BE(at));
    const payloadAt = preludeBytes + frame.readUInt32BE(4);
    const payload = frame.subarray(payloadAt, frame.length - checksumBytes);
    const type = eventType.exec(frame.subarray(preludeBytes, payloadAt).toString('latin1'))?.[1];
    if (type === 'chunk') frames.push(chunkFrame(payload));
    else if (type !== 'contentBlockStart' || payload.includes('toolUse')) frames.push(frame);
    at += frame.length;
  }
  return Buffer.concat(frames);
}

function chunkFrame(event: Buffer): Buffer {
  const headers = { ':event-type': 'chunk', ':content-type': 'application/json', ':message-type': 'event' };
  return amazonFrame(headers, JSON.stringify({ bytes: event.toString('base64'), p: 'abcdefgh' }));
}
