/**
 * Makes ledgers of format version 1 as lists of records, from FORMAT.md and `node:crypto` alone: an
 * independent second writer, so that tests of readers do not lean on the sealer. It enforces no rule: a
 * test can seal, validly signed, what a sealer never would. Everything is deterministic.
 */
import {
  createCipheriv,
  createHash,
  createPrivateKey,
  createPublicKey,
  type KeyObject,
  sign,
} from 'node:crypto';

export interface LedgerRecord {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

type Value = string | number | boolean | readonly Value[] | { readonly [key: string]: Value };
export type Fields = { readonly [key: string]: Value };

/** What a leaf says beyond what the builder fills in; anything filled in can be overridden. */
export interface LeafDraft {
  readonly type: string;
  readonly data?: Fields;
  readonly refs?: readonly number[];
  /** Plaintext by part name. */
  readonly parts?: Readonly<Record<string, string>>;
  readonly override?: Fields;
}

export interface BuilderOptions {
  /** Makes another ledger: other id, keys and random bytes. */
  readonly seed?: string;
  readonly product?: string;
}

export const holdpointOrigin = (ledger: string): string => `holdpoint/${ledger}`;

const sha256 = (...chunks: readonly (Uint8Array | string)[]): Buffer => {
  const hash = createHash('sha256');
  for (const chunk of chunks) hash.update(chunk);
  return hash.digest();
};

export function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

export function u64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(value));
  return bytes;
}

export const recordKey = (seq: number, kind: number): Buffer => Buffer.concat([u64(seq), Buffer.of(kind)]);

/** RFC 8785 for values of the leaf's subset. */
export function canonicalize(value: Value): string {
  if (Array.isArray(value)) return `[${value.map(canonicalize).join()}]`;
  if (typeof value !== 'object') return JSON.stringify(value);
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${members.map(([key, member]) => `${JSON.stringify(key)}:${canonicalize(member)}`).join()}}`;
}

export const leafHashOf = (leaf: Uint8Array): Buffer => sha256(Buffer.of(0), leaf);

/** RFC 6962 section 2.1, as the recursion is written there. */
export function merkleRoot(hashes: readonly Uint8Array[]): Buffer {
  const [only] = hashes;
  if (only === undefined) return sha256('');
  if (hashes.length === 1) return Buffer.from(only);
  let split = 1;
  while (split * 2 < hashes.length) split *= 2;
  return sha256(Buffer.of(1), merkleRoot(hashes.slice(0, split)), merkleRoot(hashes.slice(split)));
}

/** Roots of the maximal full subtrees, left to right. */
export function frontierOf(hashes: readonly Uint8Array[]): readonly string[] {
  const roots: string[] = [];
  for (let from = 0; from < hashes.length; ) {
    let width = 1;
    while (from + width * 2 <= hashes.length) width *= 2;
    roots.push(merkleRoot(hashes.slice(from, from + width)).toString('hex'));
    from += width;
  }
  return roots;
}

export function encodeBlock(leaves: readonly Uint8Array[], note: Uint8Array): Buffer {
  const framed = [...leaves, note].flatMap((bytes) => [u32(bytes.length), bytes]);
  return Buffer.concat([Buffer.from('HPB1'), u32(leaves.length), ...framed]);
}

export function decodeBlock(value: Uint8Array): { leaves: Buffer[]; note: Buffer } {
  const bytes = Buffer.from(value);
  const fields: Buffer[] = [];
  for (let at = 8; at < bytes.length; ) {
    const length = bytes.readUInt32BE(at);
    fields.push(bytes.subarray(at + 4, at + 4 + length));
    at += 4 + length;
  }
  return { leaves: fields.slice(0, -1), note: fields.at(-1) ?? Buffer.alloc(0) };
}

export interface BodyItem {
  readonly seq: number;
  readonly part: number;
  readonly ct: Uint8Array;
}

/** Everything of a bodies record up to its count. */
export function encodeBodies(head: Uint8Array, items: readonly BodyItem[]): Buffer {
  const framed = items.flatMap(({ seq, part, ct }) => [u64(seq), Buffer.of(part), u32(ct.length), ct]);
  return Buffer.concat([head, u32(items.length), ...framed]);
}

export function decodeBodies(value: Uint8Array): { head: Buffer; items: BodyItem[] } {
  const bytes = Buffer.from(value);
  const wrappedAt = 5 + bytes.readUInt8(4) + 12;
  const headEnd = wrappedAt + 4 + bytes.readUInt32BE(wrappedAt);
  const items: BodyItem[] = [];
  for (let at = headEnd + 4; at < bytes.length; ) {
    const length = bytes.readUInt32BE(at + 9);
    const ct = bytes.subarray(at + 13, at + 13 + length);
    items.push({ seq: Number(bytes.readBigUInt64BE(at)), part: bytes.readUInt8(at + 8), ct });
    at += 13 + length;
  }
  return { head: bytes.subarray(0, headEnd), items };
}

const pkcs8Prefix = Buffer.from('302e020100300506032b657004220420', 'hex');

function signingKeyOf(seed: string): { privateKey: KeyObject; publicKey: Buffer } {
  const der = Buffer.concat([pkcs8Prefix, sha256(`signing ${seed}`)]);
  const privateKey = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
  const spki = createPublicKey(privateKey).export({ format: 'der', type: 'spki' });
  return { privateKey, publicKey: spki.subarray(-32) };
}

/** A note signed by the key of each seed, in their order; the origin's own key hash. */
export function signNote(seed: string, origin: string, size: number, root: Uint8Array, also = ''): string {
  const text = `${origin}\n${size}\n${Buffer.from(root).toString('base64')}\n`;
  const lines = [seed, also]
    .filter((one) => one !== '')
    .map((one) => {
      const { privateKey, publicKey } = signingKeyOf(one);
      const signature = sign(null, Buffer.from(text), privateKey);
      const line = Buffer.concat([keyHashOf(origin, publicKey), signature]).toString('base64');
      return `\u2014 ${origin} ${line}\n`;
    });
  return `${text}\n${lines.join('')}`;
}

/** What both keys of a rotation sign. */
export function signRotation(
  seed: string,
  ledger: string,
  seq: number,
  oldKey: string,
  newKey: string,
): string {
  const statement = `holdpoint/rotate/1\0${ledger}\n${seq}\n${oldKey}\n${newKey}\n`;
  return sign(null, Buffer.from(statement), signingKeyOf(seed).privateKey).toString('base64');
}

/** The public key of a seed's Ed25519 key, base64; and what it signs. */
export function reviewerKeyOf(seed: string): string {
  return signingKeyOf(seed).publicKey.toString('base64');
}
export function signAs(seed: string, message: string): string {
  return sign(null, Buffer.from(message), signingKeyOf(seed).privateKey).toString('base64');
}

const keyHashOf = (origin: string, publicKey: Buffer): Buffer =>
  sha256(origin, Buffer.of(0x0a, 0x01), publicKey).subarray(0, 4);

export function verifierKeyOf(seed: string, origin: string): string {
  const { publicKey } = signingKeyOf(seed);
  const typed = Buffer.concat([Buffer.of(1), publicKey]);
  return `${origin}+${keyHashOf(origin, publicKey).toString('hex')}+${typed.toString('base64')}`;
}

function gcm(key: Uint8Array, nonce: Uint8Array, plaintext: Uint8Array, aad?: Uint8Array): Buffer {
  const cipher = createCipheriv('aes-256-gcm', key, nonce);
  if (aad !== undefined) cipher.setAAD(aad);
  return Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
}

export function highWaterLine(size: number, root: Uint8Array): string {
  const checked = `holdpoint-high-water-1 ${String(size).padStart(20, '0')} ${Buffer.from(root).toString('hex')} `;
  return `${checked}${sha256(checked).subarray(0, 4).toString('hex')}\n`;
}

export type LedgerBuilder = ReturnType<typeof createLedgerBuilder>;

/** An empty ledger; `seal` adds leaves to the open commit, `commit` ends it. */
export function createLedgerBuilder(options: BuilderOptions = {}) {
  const seed = options.seed ?? 'one';
  const ledger = sha256(`ledger ${seed}`).subarray(0, 16).toString('hex');
  const origin = holdpointOrigin(ledger);
  const kek = sha256(`kek ${seed}`);
  const verifierKey = verifierKeyOf(seed, origin);
  /** Whose key signs, and whose signs beside it at the block's end. */
  let signing = seed;
  let incoming = '';
  const records: LedgerRecord[] = [];
  const hashes: Buffer[] = [];
  const open = new Map<number, number[]>();
  let pending: Buffer[] = [];
  let dataKeys: Buffer[] = [];
  let items: BodyItem[] = [];
  let snapshots: LedgerRecord[] = [];
  let boot = sha256(`boot ${seed}`).subarray(0, 8).toString('hex');
  let mono = 0;
  const commitments = new Map<string, string>();

  const makePart = (seq: number, index: number, name: string, text: string): Fields => {
    const plaintext = Buffer.from(text);
    const dataKey = Buffer.concat([
      sha256(`aes ${seed} ${seq} ${index}`),
      sha256(`salt ${seed} ${seq} ${index}`),
    ]);
    const ct = gcm(dataKey.subarray(0, 32), Buffer.alloc(12), plaintext);
    const salt = dataKey.subarray(32);
    const named = Buffer.concat([Buffer.of(name.length), Buffer.from(name)]);
    const c = sha256('holdpoint/commit/1\0', Buffer.from(ledger, 'hex'), u64(seq), named, salt, plaintext);
    dataKeys.push(dataKey);
    items.push({ seq, part: index, ct });
    commitments.set(`${seq}/${name}`, c.toString('hex'));
    const e = sha256('holdpoint/ct/1\0', ct).toString('hex');
    return { c: c.toString('hex'), e, name, size: plaintext.length };
  };

  const builder = {
    ledger,
    origin,
    kek,
    /** Key hash of the key in use. */
    kid: (of = signing): string => verifierKeyOf(of, origin).split('+')[1] ?? '',
    keyOf: (of: string): string => verifierKeyOf(of, origin),
    verifierKey,
    records,
    seed,
    size: (): number => hashes.length,
    root: (size = hashes.length): Buffer => merkleRoot(hashes.slice(0, size)),
    highWater: (): string => highWaterLine(hashes.length, builder.root()),
    checkpoint: (size = hashes.length): string => signNote(signing, origin, size, builder.root(size)),
    /** The `c` of a part sealed earlier. */
    c: (seq: number, name: string): string => commitments.get(`${seq}/${name}`) ?? '',
    source: async function* (): AsyncGenerator<LedgerRecord> {
      yield* records;
    },

    /** Adds one leaf to the open commit; returns its seq. */
    seal(draft: LeafDraft): number {
      const seq = hashes.length;
      mono += 250;
      const named = Object.entries(draft.parts ?? {});
      const leaf: Fields = {
        at: new Date(Date.UTC(2026, 10, 22, 9) + seq * 1000).toISOString(),
        boot,
        data: draft.data ?? {},
        durability: 'strict',
        kid: builder.kid(),
        ledger,
        mono,
        parts: named.map(([name, text], index) => makePart(seq, index, name, text)),
        prev: hashes.at(-1)?.toString('hex') ?? '0'.repeat(64),
        refs: draft.refs ?? [],
        seq,
        type: draft.type,
        v: 1,
        ...draft.override,
      };
      return builder.sealBytes(Buffer.from(canonicalize(leaf)));
    },

    /** Adds a leaf of any bytes. */
    sealBytes(bytes: Buffer): number {
      hashes.push(leafHashOf(bytes));
      pending.push(bytes);
      return hashes.length - 1;
    },

    /** Ends the commit: block, bodies, snapshots. */
    commit(): void {
      const first = hashes.length - pending.length;
      const note = Buffer.from(signNote(signing, origin, hashes.length, merkleRoot(hashes), incoming));
      records.push({ key: recordKey(first, 1), value: encodeBlock(pending, note) });
      if (items.length > 0)
        records.push({ key: recordKey(first, 2), value: encodeBodies(builder.wrap(first), items) });
      records.push(...snapshots);
      if (incoming !== '') signing = incoming;
      incoming = '';
      pending = [];
      dataKeys = [];
      items = [];
      snapshots = [];
    },

    /** Leaves a part of the open commit out of what is stored, as after an erasure. */
    omit(seq: number, part: number): void {
      const position = items.findIndex((item) => item.seq === seq && item.part === part);
      items.splice(position, 1);
      dataKeys.splice(position, 1);
    },

    wrap(first: number): Buffer {
      const nonce = sha256(`nonce ${seed} ${first}`).subarray(0, 12);
      const aad = Buffer.concat([Buffer.from('holdpoint/wrap/1\0'), Buffer.from(ledger, 'hex'), u64(first)]);
      const wrapped = gcm(kek, nonce, Buffer.concat(dataKeys), aad);
      const kekId = sha256('holdpoint/kek/1\0', kek).subarray(0, 4).toString('hex');
      const head = [Buffer.from('HPV1'), Buffer.of(kekId.length), Buffer.from(kekId)];
      return Buffer.concat([...head, nonce, u32(wrapped.length), wrapped]);
    },

    restart(): void {
      boot = sha256(`boot ${seed} ${hashes.length}`).subarray(0, 8).toString('hex');
      mono = 0;
    },

    genesis(data: Fields = {}): number {
      const product = options.product ?? 'holdpoint 0.1.0';
      return builder.seal({ type: 'genesis', data: { key: verifierKey, origin, product, ...data } });
    },

    /** Seals the rotation to the key of another seed; the commit that follows is its boundary. */
    rotate(to: string, data: Fields = {}): number {
      const [oldKey, newKey] = [verifierKeyOf(signing, origin), verifierKeyOf(to, origin)];
      const proof = (by: string): string => signRotation(by, ledger, hashes.length, oldKey, newKey);
      const proofs = { endorsement: proof(signing), possession: proof(to) };
      const seq = builder.seal({
        type: 'key',
        data: { action: 'rotate', by: 'olga', key: newKey, reason: 'yearly', ...proofs, ...data },
      });
      incoming = to;
      return seq;
    },

    start(data: Fields = {}): number {
      const digest = 'ab'.repeat(32);
      const facts = { config: digest, node: 'v24', policy: digest, product: 'holdpoint 0.1.0' };
      return builder.seal({ type: 'start', data: { ...facts, ...data } });
    },

    heartbeat(override: Fields = {}): number {
      const seq = hashes.length;
      const state = {
        frontier: frontierOf(hashes),
        open: [...open.entries()].map(([request, entries]) => [request, entries]),
        prev: hashes.at(-1)?.toString('hex') ?? '',
        size: seq,
        v: 1,
      };
      const value = Buffer.from(canonicalize(state));
      snapshots.push({ key: recordKey(seq, 3), value });
      const data = { open: open.size, snapshot: sha256(value).toString('hex'), ...override };
      return builder.seal({ type: 'heartbeat', data });
    },

    request(data: Fields = {}, text = 'POST /v1/chat/completions HTTP/1.1\r\n\r\n{"model":"m"}'): number {
      const facts = { operation: 'chat.completions', method: 'POST', model: 'm', verdict: 'pass', rules: [] };
      const seq = builder.seal({ type: 'request', data: { ...facts, ...data }, parts: { request: text } });
      open.set(seq, [seq]);
      return seq;
    },

    response(decision: number, data: Fields = {}, text = 'HTTP/1.1 200 OK\r\n\r\n{"choices":[]}'): number {
      const facts = { decision, status: 200, verdict: 'pass', rules: [], result: 'complete' };
      const draft = {
        type: 'response',
        data: { ...facts, ...data },
        refs: [decision],
        parts: { response: text },
      };
      return builder.about(decision, draft);
    },

    hold(decision: number, of: number, data: Fields = {}): number {
      const phase = of === decision ? 'request' : 'response';
      const terms = { decision, phase, digest: builder.c(of, phase), rules: ['large-transfer'], policy: '1' };
      const people = { approvals: 1, roles: ['reviewer'], notRequester: true, requester: 'agent-7' };
      const expires = Date.UTC(2026, 10, 22, 12);
      return builder.about(decision, {
        type: 'hold',
        data: { ...terms, ...people, expires, ...data },
        refs: [of],
      });
    },

    /** `digest` in `data` names the held part; see `c`. */
    ruling(
      decision: number,
      hold: number,
      data: Fields,
      parts: LeafDraft['parts'] = { reason: 'checked' },
    ): number {
      const facts = { decision, hold, verdict: 'release', by: 'rita', role: 'reviewer', final: true };
      return builder.about(decision, {
        type: 'ruling',
        data: { ...facts, ...data },
        refs: [decision, hold],
        parts,
      });
    },

    deliver(decision: number, hold: number, digest: string, attempt = 1): number {
      const data = { decision, hold, digest, attempt };
      return builder.about(decision, { type: 'delivery', data, refs: [decision, hold] });
    },

    close(outcomes: readonly (readonly [number, string])[]): number {
      for (const [decision] of outcomes) open.delete(decision);
      const refs = outcomes.map(([decision]) => decision);
      return builder.seal({ type: 'delivery', data: { outcomes }, refs });
    },

    recover(outcomes: readonly (readonly [number, string])[]): number {
      for (const [decision] of outcomes) open.delete(decision);
      return builder.seal({ type: 'recovery', data: { found: hashes.length, outcomes, reason: 'crash' } });
    },

    /** An entry that counts as one of the decision's own while that is open. */
    about(decision: number, draft: LeafDraft): number {
      const seq = builder.seal(draft);
      open.get(decision)?.push(seq);
      return seq;
    },
  };
  return builder;
}

/** A request and its response, both held nowhere. */
export function sealExchange(builder: LedgerBuilder): number {
  const decision = builder.request();
  builder.response(decision);
  return decision;
}

export interface HeldExchange {
  readonly decision: number;
  readonly response: number;
  readonly hold: number;
  /** `c` of the held response. */
  readonly digest: string;
}

/** A decision held in its response phase, not ruled yet. */
export function sealHeldResponse(
  builder: LedgerBuilder,
  terms: Fields = {},
  answer: Fields = {},
): HeldExchange {
  const decision = builder.request();
  const response = builder.response(decision, { verdict: 'hold', ...answer });
  const hold = builder.hold(decision, response, terms);
  return { decision, response, hold, digest: builder.c(response, 'response') };
}

/** A ledger with every type of entry that version 1 has, in several blocks. */
export function buildFullLedger(options: BuilderOptions = {}): LedgerBuilder {
  const builder = createLedgerBuilder(options);
  builder.genesis();
  builder.start();
  builder.seal({
    type: 'policy',
    data: { digest: 'cd'.repeat(32), result: 'loaded', version: '1' },
    parts: { source: 'rules: []' },
  });
  builder.commit();
  const plain = [sealExchange(builder), sealExchange(builder)];
  builder.commit();
  builder.close(plain.map((decision) => [decision, 'delivered'] as const));
  builder.heartbeat();
  builder.commit();
  const released = sealHeldResponse(builder);
  builder.heartbeat();
  builder.commit();
  builder.ruling(released.decision, released.hold, { digest: released.digest });
  builder.deliver(released.decision, released.hold, released.digest);
  builder.close([[released.decision, 'delivered']]);
  builder.deliver(released.decision, released.hold, released.digest, 2);
  builder.commit();
  const denied = sealHeldResponse(builder);
  builder.ruling(denied.decision, denied.hold, { verdict: 'deny', digest: denied.digest });
  const amended = sealHeldResponse(builder);
  const amendment = builder.ruling(
    amended.decision,
    amended.hold,
    { verdict: 'amend', digest: amended.digest },
    { reason: 'smaller sum', amendment: 'HTTP/1.1 200 OK\r\n\r\n{"amount":20}' },
  );
  builder.deliver(amended.decision, amended.hold, builder.c(amendment, 'amendment'));
  const expired = sealHeldResponse(builder);
  builder.ruling(
    expired.decision,
    expired.hold,
    { verdict: 'expired', by: 'holdpoint', role: '', digest: expired.digest },
    {},
  );
  builder.close([
    [denied.decision, 'denied'],
    [amended.decision, 'delivered'],
    [expired.decision, 'expired'],
  ]);
  builder.commit();
  const quorum = sealHeldResponse(builder, { approvals: 2 });
  builder.ruling(quorum.decision, quorum.hold, { digest: quorum.digest, final: false });
  builder.ruling(quorum.decision, quorum.hold, { digest: quorum.digest, by: 'otto' });
  const requested = builder.request({ verdict: 'hold' });
  const requestHold = builder.hold(requested, requested);
  builder.ruling(requested, requestHold, { digest: builder.c(requested, 'request') });
  builder.response(requested);
  const forbidden = builder.request({ verdict: 'deny' });
  builder.close([
    [quorum.decision, 'released_undelivered'],
    [requested, 'delivered'],
    [forbidden, 'denied'],
  ]);
  const interrupted = sealExchange(builder);
  builder.commit();
  builder.restart();
  builder.start();
  builder.recover([[interrupted, 'interrupted']]);
  builder.seal({ type: 'access', data: { by: 'ada', role: 'auditor', action: 'read', decision: 3 } });
  builder.commit();
  builder.request();
  sealHeldResponse(builder);
  builder.seal({ type: 'stop', data: { reason: 'SIGTERM' } });
  builder.commit();
  return builder;
}
