import { createHmac } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { HoldpointError } from '../../../src/core/errors.ts';
import { encodeHttpMessage } from '../../../src/core/http-message.ts';
import type { Entry } from '../../../src/ledger/entry.ts';
import { loadPolicy } from '../../../src/policy/compile.ts';
import { openai } from '../../../src/provider/openai/family.ts';
import { fileCommitment, judgedFile, withUnjudgedFiles } from '../../../src/proxy/judged-files.ts';
import { policyOf } from '../../proxy/policies.ts';
import { requestFacts } from '../policy/support.ts';

const key = Buffer.alloc(32, 7);
const origin = 'https://api.openai.com';
const of = (...said: readonly [string, string, string]) => fileCommitment(key, ...said);

it('ties a file to who uploaded it as the format says', () => {
  const message = Buffer.concat([
    Buffer.from('holdpoint/file/1\0'),
    ...[origin, 'Bearer sk-1', 'file-ä'].flatMap((text) => {
      const bytes = Buffer.from(text);
      return [Buffer.from([0, 0, 0, bytes.length]), bytes];
    }),
  ]);
  const expected = createHmac('sha256', key).update(message).digest('hex');
  expect(of(origin, 'Bearer sk-1', 'file-ä')).toBe(expected);
});

it('is another for any other place, credential or id, wherever one ends and the next begins', () => {
  const all = [
    of(origin, 'Bearer sk-1', 'file-1'),
    of('https://api.example', 'Bearer sk-1', 'file-1'),
    of(origin, 'Bearer sk-2', 'file-1'),
    of(origin, 'Bearer sk-1', 'file-2'),
    of(origin, 'Bearer sk-1f', 'ile-1'),
    of(origin, '', 'file-1'),
    fileCommitment(Buffer.alloc(32, 8), origin, 'Bearer sk-1', 'file-1'),
  ];
  expect(new Set(all).size).toBe(all.length);
});

const upstream = { name: 'openai', origin, basePath: '', mount: '/', protocol: openai };
const asking = { upstream, headers: ['authorization', 'Bearer sk-1'], target: '/v1/files' };
const upload = { ...asking, operation: 'files' as const, batch: () => [] };

describe('the file that an answer names', () => {
  const answered = (body: string | Buffer) => ({
    result: 'ok' as const,
    status: 200,
    headers: ['content-type', 'application/json'],
    body: Buffer.from(body),
  });
  const named = (id: string) => answered(JSON.stringify({ id }));
  const zipped = (answer: object) => ({
    ...answered(gzipSync(JSON.stringify(answer))),
    headers: ['content-encoding', 'gzip'],
  });
  const fileOf = (answer: Parameters<typeof judgedFile>[1]) =>
    judgedFile(upload, answer, { fingerprintKey: key });

  it('is known to whom it was uploaded by', () => {
    expect(fileOf(named('file-1'))).toEqual({
      id: 'file-1',
      credential: of(origin, 'Bearer sk-1', 'file-1'),
    });
  });

  it.each([
    ['was cut off', { ...named('file-1'), result: 'upstream_truncated' as const }],
    ['leads elsewhere', { ...named('file-1'), status: 302 }],
    ['names none', answered('{}')],
    ['names one twice', answered('{"id":"file-1","id":"file-2"}')],
    ['names one by more than an id may have', named('f'.repeat(257))],
    ['names one in no text', answered('{"id":"file-\\ud800"}')],
    ['unpacks to more than any that names a file', zipped({ id: 'file-1', x: 'x'.repeat(65_536) })],
    ['is in a coding that cannot be undone', { ...named('file-1'), headers: ['content-encoding', 'gzip'] }],
  ])('is none where the answer %s', (_what, answer) => {
    expect(fileOf(answer)).toBeNull();
  });

  it('may have as long an id as fits a leaf', () => {
    expect(fileOf(named('f'.repeat(256)))).toMatchObject({ id: 'f'.repeat(256) });
  });
});

describe('the files that a call runs', () => {
  const rule = {
    phase: 'request',
    action: 'hold',
    match: '{ subject: anna }',
    noMatch: '{ subject: berta }',
  } as const;
  const before = loadPolicy('before.yaml', policyOf({ ...rule, when: 'request.subject == "anna"' }));
  const after = loadPolicy(
    'after.yaml',
    `${policyOf({ ...rule, when: 'request.subject == "anna"' })}# Later.\n`,
  );

  function entryOf(seq: number, type: Entry['type'], data: Entry['data']): Entry {
    const rest = {
      at: '',
      boot: '',
      durability: 'strict',
      kid: '',
      ledger: '',
      mono: 0,
      prev: '',
      v: 1,
    } as const;
    return { ...rest, seq, type, data, parts: [], refs: [] };
  }

  /** A ledger in which every id was given to so many uploads, the newest first; the last is by `credential`. */
  function remembering({
    uploads = 1,
    credential = 'Bearer sk-1',
    policy = before,
    data = {},
    fails = false,
  } = {}) {
    const sought: string[] = [];
    const errors: unknown[] = [];
    const { digest } = before;
    const asked = {
      path: '/v1/files',
      method: 'POST',
      provider: 'openai',
      operation: 'files',
      policy: digest,
    };
    const ledger = {
      durable: () => ({ size: 100, note: Buffer.alloc(0) }),
      async *find({ file = '' }: { readonly file?: string }) {
        sought.push(file);
        if (fails) throw new HoldpointError('ledger_unavailable', 'It is away.');
        for (let seq = uploads; seq > 0; seq -= 1) yield seq;
      },
      decision: (seq: number) => {
        const by = seq === 1 ? credential : 'Bearer sk-other';
        const id = sought.at(-1) ?? '';
        const file = { id, credential: of(origin, by, id) };
        return Promise.resolve([
          entryOf(seq, 'request', { ...asked, ...data }),
          entryOf(seq, 'response', { file }),
        ]);
      },
      entry: (seq: number) => Promise.resolve(entryOf(seq, 'request', asked)),
      part: () => {
        const head = { startLine: 'POST /v1/files HTTP/1.1', headers: ['content-type', 'application/json'] };
        return Promise.resolve(encodeHttpMessage({ ...head, body: Buffer.from('{}') }));
      },
    };
    const house = {
      ledger,
      fingerprintKey: key,
      policy: () => policy,
      onError: (_what: string, error: unknown) => errors.push(error),
    };
    return { house, sought, errors };
  }

  async function unjudged(batchFiles: readonly string[], house: Parameters<typeof withUnjudgedFiles>[1]) {
    const { facts } = await withUnjudgedFiles({ ...asking, batchFiles, facts: requestFacts() }, house);
    return facts.unjudgedFiles;
  }

  it('were judged where the ledger says so of the same caller', async () => {
    expect(await unjudged(['file-1'], remembering().house)).toEqual([]);
    expect(await unjudged(['file-1'], remembering({ credential: 'Bearer sk-2' }).house)).toEqual(['file-1']);
  });

  it('are looked for up to the sixty-fourth, and no further', async () => {
    const files = Array.from({ length: 66 }, (_, i) => `file-${i}`);
    const { house, sought } = remembering();
    expect(await unjudged(files, house)).toEqual(['file-64', 'file-65']);
    expect(sought).toEqual(files.slice(0, 64));
  });

  it('are looked for among the newest sixteen uploads that were given the id, and no further', async () => {
    expect(await unjudged(['file-1'], remembering({ uploads: 16 }).house)).toEqual([]);
    expect(await unjudged(['file-1'], remembering({ uploads: 17 }).house)).toEqual(['file-1']);
  });

  it.each([
    ['empty', ''],
    ['too long', 'f'.repeat(257)],
    ['no text', 'file-\ud800'],
  ])('are not looked for by an id that is %s', async (_what, id) => {
    const { house, sought } = remembering();
    expect(await unjudged([id], house)).toEqual([id]);
    expect(sought).toEqual([]);
  });

  it('were not judged where that cannot be looked up, which is reported', async () => {
    const { house, errors } = remembering({ fails: true });
    expect(await unjudged(['file-1'], house)).toEqual(['file-1']);
    expect(errors).toEqual([expect.objectContaining({ code: 'ledger_unavailable' })]);
  });

  it('were not judged by a policy that came since and stops by what the record has no more', async () => {
    expect(await unjudged(['file-1'], remembering({ policy: after }).house)).toEqual([]);
    const erased = remembering({ policy: after, data: { subject: 'a fingerprint' } });
    expect(await unjudged(['file-1'], erased.house)).toEqual(['file-1']);
  });
});
