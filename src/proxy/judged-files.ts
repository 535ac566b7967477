/**
 * Files of requests that are uploaded first and run later, by the id that the provider gave them. The answer to an
 * upload whose every line was judged is sealed with that id and with who uploaded it; a request that runs files is
 * told which of them have no such entry, or would not be let go by the policy that came since. The ledger is the
 * memory: its index finds the entry, the entry itself counts.
 */
import { createHmac } from 'node:crypto';
import { decodeContent } from '../core/content-coding.ts';
import { headerOf } from '../core/http-message.ts';
import type { JsonObject } from '../ledger/canonical.ts';
import type { Entry } from '../ledger/entry.ts';
import { judgedAgain } from '../replay/held-judgement.ts';
import type { Answered } from './answer.ts';
import { type Call, credentialOf } from './call.ts';
import type { House } from './house.ts';

/** As it stands in the leaf of the answer to the upload. */
export interface JudgedFile {
  /** HMAC-SHA-256, hex: binds the id to the credential and to the provider's address. */
  readonly credential: string;
  readonly id: string;
}

/** Longer names are no ids; they would not fit a leaf. */
const idCharactersMax = 256;
/** Of one request; more are not looked for, and so count as not judged. */
const filesMax = 64;
/** A provider gives an id once. One that gives it to every upload makes no call slow. */
const uploadsReadMax = 16;
/** An answer that names a file is short. */
const answerBytesMax = 64 * 1024;

/**
 * HMAC-SHA-256 under the fingerprint key over "holdpoint/file/1" NUL and, each behind its length in bytes as u32, the
 * provider's origin, the credential and the id. Without the key it tells nothing of the credential.
 */
export function fileCommitment(key: Buffer, origin: string, credential: string, id: string): string {
  const mac = createHmac('sha256', key).update('holdpoint/file/1\0');
  for (const text of [origin, credential, id]) {
    const bytes = Buffer.from(text, 'utf8');
    const length = Buffer.alloc(4);
    length.writeUInt32BE(bytes.length);
    mac.update(length).update(bytes);
  }
  return mac.digest('hex');
}

/** Who asks whom. */
type Asking = Pick<Call, 'upstream' | 'headers' | 'target'>;
type Remembering = Pick<House, 'fingerprintKey' | 'policy' | 'onError'> & {
  readonly ledger: Pick<House['ledger'], 'find' | 'durable' | 'decision' | 'entry' | 'part'>;
};

function commitmentOf({ upstream, headers, target }: Asking, id: string, key: Buffer): string {
  return fileCommitment(key, upstream.origin, credentialOf(headers, target), id);
}

function isId(id: string): boolean {
  return id !== '' && id.length <= idCharactersMax && id.isWellFormed();
}

/** The file that this call has uploaded and the answer names; null where its lines were not judged, or it has no id. */
export function judgedFile(
  call: Asking & Pick<Call, 'batch' | 'operation'>,
  answered: Pick<Answered, 'result' | 'status' | 'headers' | 'body'>,
  { fingerprintKey }: Pick<House, 'fingerprintKey'>,
): JudgedFile | null {
  const { protocol } = call.upstream;
  // What was cut off, or leads elsewhere, has named no file to the caller.
  const isUploaded = answered.result === 'ok' && answered.status < 300;
  if (call.batch === undefined || protocol.fileIdIn === undefined || !isUploaded) return null;
  const coding = headerOf(answered.headers, 'content-encoding');
  let id: string;
  try {
    id = protocol.fileIdIn(call.operation, decodeContent(coding, answered.body, answerBytesMax));
  } catch {
    // Nobody here can read which file it is, so that it stays one that was never judged.
    return null;
  }
  return isId(id) ? { credential: commitmentOf(call, id, fingerprintKey), id } : null;
}

/** The call with what rules are to know of the files it runs. What cannot be looked up counts as never judged. */
export async function withUnjudgedFiles<C extends Asking & Pick<Call, 'batchFiles' | 'facts'>>(
  call: C,
  house: Remembering,
): Promise<C> {
  const { batchFiles } = call;
  if (batchFiles === undefined || batchFiles.length === 0) return call;
  const unjudgedFiles: string[] = [];
  for (const [place, id] of batchFiles.entries())
    if (place >= filesMax || !(await isJudged(call, id, house))) unjudgedFiles.push(id);
  return { ...call, facts: { ...call.facts, unjudgedFiles } };
}

async function isJudged(call: Asking, id: string, house: Remembering): Promise<boolean> {
  if (!isId(id)) return false;
  const { ledger } = house;
  const sought = commitmentOf(call, id, house.fingerprintKey);
  let read = 0;
  try {
    for await (const seq of ledger.find({ file: id }, ledger.durable().size)) {
      const entries = await ledger.decision(seq);
      if (entries.some(({ data }) => isSame(data['file'], sought))) return await passesNow(entries, house);
      read += 1;
      if (read >= uploadsReadMax) return false;
    }
  } catch (error) {
    house.onError('It cannot be looked up whether a batch file was judged', error);
  }
  return false;
}

/**
 * Whether the policy in force would let the upload go: what another one judged was not judged by it. Lines that a person
 * released then are held no more, as long as no rule denies them. Of a file that is not stored whole nobody can tell.
 */
async function passesNow([upload]: readonly Entry[], { ledger, policy }: Remembering): Promise<boolean> {
  const inForce = policy();
  if (upload?.data['policy'] === inForce.digest) return true;
  if (upload === undefined) return false;
  const judged = await judgedAgain(
    ledger,
    { phase: 'request', decision: upload.seq, response: null },
    null,
    inForce,
  );
  // What the record does not have may be what a rule stops a line for.
  if (judged === null || inForce.stopsBy('request', judged.lacking)) return false;
  const wasHeld = upload.data['verdict'] === 'hold';
  for (const { facts } of judged.heard()) {
    const { action } = inForce.judge('request', facts);
    if (action === 'deny' || (action === 'hold' && !wasHeld)) return false;
  }
  return true;
}

/** The id is bound by it as well. */
function isSame(sealed: JsonObject[string] | undefined, credential: string): boolean {
  return typeof sealed === 'object' && 'credential' in sealed && sealed['credential'] === credential;
}
