/**
 * A time stamp authority as an anchor, RFC 3161 over HTTP: its token says that this note existed at that time. The
 * answer is kept beside the note it is over, so that any tool checks it:
 *
 *     openssl ts -verify -data <name>.checkpoint -in <name>.tsr -CAfile <authority's certificate>
 */
import { sha256 } from '../core/bytes.ts';
import type { RandomBytes } from '../core/clock.ts';
import type { Egress } from '../core/egress.ts';
import { type Anchor, anchorFailed } from './anchor.ts';
import { ask } from './http.ts';
import { encodeTimestampRequest, readTimestampAnswer, significant } from './timestamp-message.ts';

export interface TimestampOptions {
  readonly name: string;
  readonly url: string;
  readonly random: RandomBytes;
  readonly egress: Egress;
}

/** A token with its certificates has some 6 KB; in base64 it has to fit an entry. */
const answerBytesMax = 32 * 1024;
const nonceBytes = 16;

export function openTimestampAnchor({ name, url, random, egress }: TimestampOptions): Anchor {
  const address = new URL(url);
  return {
    name,
    kind: 'timestamp',
    send: async ({ note }, _from, signal) => {
      const digest = sha256(note);
      const nonce = random(nonceBytes);
      const body = new Uint8Array(encodeTimestampRequest(digest, nonce));
      const headers = {
        'content-type': 'application/timestamp-query',
        accept: 'application/timestamp-reply',
      };
      const request = { method: 'POST', url: address, headers, body } as const;
      const answer = await ask(request, answerBytesMax, signal, egress);
      if (answer.status !== 200) throw anchorFailed(`${name} answered with ${answer.status}.`);
      const stamp = readTimestampAnswer(answer.body);
      if (stamp === null) throw anchorFailed(`${name} answered with what is no time stamp.`);
      if (stamp.status > 1) throw anchorFailed(`${name} refused with status ${stamp.status}.`);
      if (!stamp.digest.equals(digest) || !stamp.nonce.equals(significant(nonce)))
        throw anchorFailed(`${name} stamped something else than was asked for.`);
      return { text: answer.body.toString('base64'), files: [{ ending: 'tsr', bytes: answer.body }] };
    },
  };
}
