/** The command line as scripts rely on it: output, exit codes, messages. */
import { randomBytes } from 'node:crypto';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type DemoProvider, startDemoProvider } from '../../src/demo/provider.ts';
import { openAuthority } from '../../src/store/ca.ts';
import { type Env, type Ran, type Running, run, runSidecar, start } from './support/process.ts';
import { eventually, policyText, tools, writeHouse } from './support/sidecar.ts';

let directory: string;
let provider: DemoProvider;
let configFile: string;
let dataDir: string;
let policyFile: string;
let sidecar: Running;
let env: Env;
let keyBefore: string;

const ask = (prompt: string) =>
  fetch(`${sidecar.proxyUrl}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'gpt-test', messages: [{ role: 'user', content: prompt }], tools }),
  });
const queueSchema = z.object({ items: z.array(z.looseObject({ id: z.string(), digest: z.string() })) });
const nextHold = () =>
  eventually(async () => {
    const response = await fetch(`${sidecar.controlUrl}/api/v1/holds?state=pending`, {
      headers: { authorization: `Bearer ${env['HOLDPOINT_TOKEN']}` },
    });
    return queueSchema.parse(await response.json()).items[0]?.id;
  });
const newToken = async (name: string, role: string) =>
  (await run(['token', 'new', '--config', configFile, '--name', name, '--role', role])).out.trim();

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'holdpoint-cli-'));
  provider = await startDemoProvider({ port: 0 });
  ({ configFile, dataDir, policyFile } = writeHouse(directory, provider.url, { log: { level: 'info' } }));
  // Made before the first start.
  const [token] = await Promise.all([newToken('ada', 'reviewer')]);
  sidecar = await runSidecar(configFile);
  env = { HOLDPOINT_URL: sidecar.controlUrl, HOLDPOINT_TOKEN: token };
  keyBefore = (await run(['keys', 'show', '--config', configFile])).out;
});
afterAll(async () => {
  sidecar.child.kill('SIGTERM');
  await sidecar.exited;
  await provider.close();
  rmSync(directory, { recursive: true, force: true });
});

describe.concurrent('holdpoint', () => {
  it.each([[['--help']], [[]], [['help']], [['help', 'token']], [['holds', '--help']], [['verify', '-h']]])(
    '%j explains itself and exits 0',
    async (args) => {
      const { code, out, err } = await run(args);
      expect([code, err]).toEqual([0, '']);
      expect(out).toMatch(/^usage: holdpoint/);
      expect(out).toContain(
        'Exit codes: 0 ok, 1 a finding, 2 usage or configuration, 3 cannot reach the sidecar.',
      );
    },
  );

  it('lists every command there is', async () => {
    const { out } = await run(['--help']);
    for (const name of [
      'run',
      'demo',
      'verify',
      'holds watch',
      'holds list',
      'holds show',
      'holds release',
      'holds deny',
      'holds amend',
      'holds comment',
      'holds take',
      'holds hand-over',
      'holds give-back',
      'holds reviews',
      'holds review',
      'delegations list',
      'delegations begin',
      'delegations end',
      'decisions list',
      'decisions show',
      'decisions export',
      'decisions report',
      'erase decision',
      'erase subject',
      'erase class',
      'legal-hold place',
      'legal-hold lift',
      'legal-hold list',
      'ledger checkpoint',
      'ledger entry',
      'ledger prove',
      'ledger verify-proof',
      'ledger export',
      'ledger export-tiles',
      'ledger verifier',
      'config check',
      'policy check',
      'policy test',
      'policy backtest',
      'token new',
      'token list',
      'token replace',
      'token revoke',
      'keys show',
      'keys ca',
      'keys witness',
      'keys rotate',
      'keys revoke',
      'keys retire-kek',
      'keys escrow-new',
      'notifications list',
      'notifications replay',
      'notifications test',
      'completion',
    ])
      expect(out).toMatch(new RegExp(`^  ${name} `, 'm'));
  });

  it('says which version it is', async () => {
    expect((await run(['--version'])).out).toMatch(/^holdpoint\/\d+\.\d+\.\d+\n$/);
  });

  it.each([
    [['nonsense'], 'holdpoint: There is no command nonsense.'],
    [['veryfy', 'data'], 'Did you mean holdpoint verify?'],
    [['token'], 'There are: token new, token list, token replace, token revoke.'],
    [['keys', '--config', 'holdpoint.yaml'], 'keys is not whole.'],
    [['token', 'nwe'], 'Did you mean holdpoint token new?'],
    [['holds', 'show'], 'See holdpoint holds show --help.'],
    [['holds', 'relase', 'h-1'], 'There is no command holds relase.'],
    [
      ['erase', 'class', '--workload', 'my', 'agent', '--basis', 'unlawful', '--reason', 'r'],
      'takes no argument, and was given "agent"',
    ],
    [['legal-hold', 'place', '--subject', 'Ada', 'Lovelace', '--reason', 'r'], 'was given "Lovelace"'],
    [['decisions', 'list', 'd-1'], 'was given "d-1"'],
    [['holds', 'list', 'h-1'], 'was given "h-1"'],
    [['token', 'new', '--name', 'bo', '--role', 'viewer', 'quickly'], 'was given "quickly"'],
    [['keys', 'rotate', 'now'], 'was given "now"'],
    [['keys', 'escrow-new', 'ada'], 'was given "ada"'],
    [['delegations', 'list', 'ada'], 'was given "ada"'],
    [['holds', 'release'], 'Name exactly one hold.'],
    [['holds', 'deny', 'h-1'], '--reason is required.'],
    [['holds', 'amend', 'h-1', '--reason', 'x'], '--file is required.'],
    [['holds', 'release', 'h-1', '--digest', 'abc'], 'It is the last line of: holdpoint holds show h-1'],
    [['holds', 'list', '--colour'], 'There is no option --colour here.\nThere are: --url, --token, --state'],
    [['holds', 'release', 'h-1', '--raeson', 'x'], 'Did you mean --reason?'],
    [['token', 'new', '--name', 'x'], '--role is required.'],
    [['policy', 'check', '/nowhere.yaml'], 'The policy /nowhere.yaml cannot be read'],
    [['verify', '/nowhere'], 'There is nothing at /nowhere.'],
    [['\u001b[2Jevil'], 'There is no command <U+001B>[2Jevil'],
  ])('%j is a mistake of usage: exit 2 and no stack', async (args, said) => {
    const { code, out, err } = await run(args, env);
    expect([code, out]).toEqual([2, '']);
    expect(err).toContain(said);
    expect(err).not.toMatch(/^\s+at /m);
  });
});

describe('config check', () => {
  it('says where calls go, as file and environment have it', async () => {
    const { code, out } = await run(['config', 'check'], {
      HOLDPOINT_UPSTREAMS_OPENAI_URL: 'http://gateway.test',
    });
    expect(code).toBe(0);
    expect(out).toMatch(
      /^config\/holdpoint\.yaml: loads, and so does its policy \/\S+\/config\/policy\.yaml\.$/m,
    );
    expect(out).toContain('127.0.0.1:8787 / goes to openai at http://gateway.test, read as openai.');
  });

  it('shows every setting as JSON', async () => {
    const { out } = await run(['config', 'check', '--json'], { HOLDPOINT_LIMITS_WAIT_MS_MAX: '5000' });
    expect(JSON.parse(out)).toMatchObject({
      ok: true,
      settings: { limits: { waitMsMax: 5000, drainMsMax: 25_000 }, data: { durability: 'strict' } },
    });
  });

  it.each([
    [{ HOLDPOINT_LIMITS_WAIT_MS_MAX: 'long' }, 'HOLDPOINT_LIMITS_WAIT_MS_MAX (limits.waitMsMax): is "long"'],
    [{ HOLDPOINT_POLICY_FILE: '/nowhere.yaml' }, 'The policy /nowhere.yaml cannot be read'],
    [{ HOLDPOINT_POLICY_FILE: 'package.json' }, 'package.json'],
  ])('of %j exits 2 and says what is wrong', async (variables, said) => {
    const { code, out, err } = await run(['config', 'check'], variables);
    expect([code, out]).toEqual([2, '']);
    expect(err).toContain(said);
  });
});

describe('run', () => {
  it('prints one line for each listener and nothing else on stdout', () => {
    expect(sidecar.out()).toMatch(
      /^proxy listening on http:\/\/127\.0\.0\.1:\d+\ncontrol listening on http:\/\/127\.0\.0\.1:\d+\n$/,
    );
  });

  it.each([
    ['a wrong key', { prxy: {} }, 'prxy: is not a key here; did you mean proxy?'],
    [
      'a wrong value',
      { data: { durability: 'fast' } },
      'data.durability: is "fast"; it must be one of strict, relaxed',
    ],
  ])('with %s exits 2 and names file, line and what would be right', async (_, settings, said) => {
    const file = join(directory, 'wrong.yaml');
    writeFileSync(file, JSON.stringify(settings));
    const { code, out, err } = await run(['run', '--config', file]);
    expect([code, out]).toEqual([2, '']);
    expect(err).toMatch(new RegExp(`${file}:1:\\d+ `));
    expect(err).toContain(said);
  });

  it('with a bad policy exits 2 and names file and line', async () => {
    const policy = join(directory, 'bad-policy.yaml');
    writeFileSync(policy, policyText.replace('phase: response', 'phase: respons'));
    const { code, err } = await run(['run', '--config', configFile], { HOLDPOINT_POLICY_FILE: policy });
    expect(code).toBe(2);
    expect(err).toContain(`${policy}:6:`);
    expect(err).toContain('did you mean response?');
  });

  it('without its files exits 2', async () => {
    const [config, policy] = await Promise.all([
      run(['run', '--config', '/nowhere.yaml']),
      run(['run', '--config', configFile], {
        HOLDPOINT_POLICY_FILE: '/nowhere.yaml',
        HOLDPOINT_DATA_DIR: join(directory, 'd'),
      }),
    ]);
    expect([config.code, policy.code]).toEqual([2, 2]);
    expect(config.err).toContain('The configuration /nowhere.yaml cannot be read');
    expect(policy.err).toContain('The policy /nowhere.yaml cannot be read');
  });

  it.each(['PROXY', 'CONTROL'])(
    'with the port of %s taken exits 2 and says which setting to change',
    async (which) => {
      const taken = new URL(sidecar.controlUrl).host;
      const { code, err } = await run(['run', '--config', configFile], {
        HOLDPOINT_DATA_DIR: join(directory, `taken-${which}`),
        [`HOLDPOINT_${which}_LISTEN`]: taken,
        HOLDPOINT_LOG_LEVEL: 'silent',
      });
      expect(code).toBe(2);
      expect(err).toContain(`Cannot listen on ${taken}`);
      expect(err).toContain(`${which.toLowerCase()}.listen`);
    },
  );

  it('on a data directory in use exits 2', async () => {
    const { code, err } = await run(['run', '--config', configFile]);
    expect(code).toBe(2);
    expect(err).toContain('Another Holdpoint process uses');
  });

  it('lets a running call finish on SIGTERM, takes no new one, and exits 0', async () => {
    const slow = createServer((req, res) => {
      req.resume();
      res.writeHead(200, { 'content-type': 'application/json' });
      res.write('{"id":"x","object":"chat.completion",');
      finish = () =>
        res.end(
          '"choices":[{"index":0,"message":{"role":"assistant","content":"late"},"finish_reason":"stop"}]}',
        );
    });
    let finish: (() => void) | undefined;
    await new Promise<void>((resolve) => slow.listen(0, '127.0.0.1', resolve));
    const address = slow.address();
    const port = typeof address === 'object' ? address?.port : 0;
    const house = mkdtempSync(join(tmpdir(), 'holdpoint-drain-'));
    const files = writeHouse(house, `http://127.0.0.1:${port}`, {});
    const other = await runSidecar(files.configFile);
    const asked = fetch(`${other.proxyUrl}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'm', messages: [{ role: 'user', content: 'slow' }] }),
    });
    await eventually(async () => finish);
    other.child.kill('SIGTERM');
    await eventually(async () => (await fetch(`${other.controlUrl}/readyz`)).status === 503);
    await expect(fetch(`${other.proxyUrl}/v1/models`)).rejects.toThrow();
    finish?.();
    const answer = await asked;
    expect([answer.status, await answer.text()]).toEqual([200, expect.stringContaining('late')]);
    expect(await other.exited).toBe(0);
    slow.close();
    expect((await run(['verify', files.dataDir])).code).toBe(0);
    rmSync(house, { recursive: true });
  });

  it('reads the policy again on SIGHUP', async () => {
    writeFileSync(policyFile, policyText.replace('version: "test"', 'version: "hup"'));
    sidecar.child.kill('SIGHUP');
    await eventually(async () => {
      const response = await fetch(`${sidecar.controlUrl}/api/v1/policy`, {
        headers: { authorization: `Bearer ${env['HOLDPOINT_TOKEN']}` },
      });
      return z.object({ version: z.literal('hup') }).safeParse(await response.json()).success;
    });
    expect(sidecar.err()).toContain('"msg":"policy loaded"');
  });
});

describe.concurrent('token new', () => {
  it('prints the token alone on stdout', async () => {
    const { code, out, err } = await run([
      'token',
      'new',
      '--config',
      configFile,
      '--name',
      'bo',
      '--role',
      'auditor',
    ]);
    expect(code).toBe(0);
    expect(out).toMatch(/^hp_[A-Za-z0-9_-]{43}\n$/);
    expect(err).toContain('Token for bo (auditor)');
    expect(err).not.toContain(out.trim());
  });

  it('refuses a name that is taken, and one that is none', async () => {
    const [taken, none] = await Promise.all([
      run(['token', 'new', '--config', configFile, '--name', 'ada', '--role', 'admin']),
      run(['token', 'new', '--config', configFile, '--name', '\u001b[1m', '--role', 'admin']),
    ]);
    expect([taken.code, taken.out, none.code, none.out]).toEqual([2, '', 2, '']);
    expect(taken.err).toContain('A token for ada exists already.');
    expect(none.err).toContain('is not a name for a token');
  });

  it.each(['holdpoint', 'Retention', 'workload', 'anonymous'])(
    'refuses the name %s, under which no person acts in the ledger',
    async (name) => {
      const told = await run(['token', 'new', '--config', configFile, '--name', name, '--role', 'admin']);
      expect([told.code, told.out]).toEqual([2, '']);
      expect(told.err).toContain('somebody who is no person');
    },
  );
});

describe.concurrent('keys show', () => {
  it('prints one line, before any call as afterwards', async () => {
    expect(keyBefore).toMatch(/^[^\s+]+\+[0-9a-f]{8}\+[A-Za-z0-9+/]+=*\n$/);
    const { code, out } = await run(['keys', 'show', '--config', configFile, '--json']);
    expect(code).toBe(0);
    const key = keyBefore.trim();
    expect(JSON.parse(out)).toEqual({ origin: key.split('+')[0], key, keys: [{ key, from: 0 }] });
  });

  it('says beside the key which retirement of another is not finished', async () => {
    const keysDir = mkdtempSync(join(directory, 'keys-'));
    writeFileSync(join(keysDir, 'retiring'), '0123abcd\n');
    const env = { HOLDPOINT_KEYS_DIR: keysDir };
    const { code, out, err } = await run(['keys', 'show', '--config', configFile], env);
    expect([code, out]).toEqual([0, keyBefore]);
    expect(err).toContain('The retirement of the key-encryption key 0123abcd is not finished');
    expect(err).toContain('holdpoint keys retire-kek 0123abcd');
    const json = await run(['keys', 'show', '--config', configFile, '--json'], env);
    expect(JSON.parse(json.out)).toMatchObject({ retiringKek: '0123abcd' });
  });

  it('before the first start exits 2 and says what to do', async () => {
    const { code, out, err } = await run(['keys', 'show', '--config', configFile], {
      HOLDPOINT_DATA_DIR: join(directory, 'none'),
    });
    expect([code, out]).toEqual([2, '']);
    expect(err).toContain('There is no ledger in');
    expect(err).toContain('holdpoint run');
  });
});

describe.concurrent('keys ca', () => {
  it('prints the certificate that workloads trust, and the public ones where asked', async () => {
    const file = join(directory, 'ca.pem');
    const { certificate } = openAuthority({
      keyFile: join(directory, 'ca.key'),
      certificateFile: file,
      hosts: ['api.openai.com'],
      nowMs: () => Date.now(),
      random: randomBytes,
    });
    const env = { HOLDPOINT_PROXY_CA_FILE: file };
    const alone = await run(['keys', 'ca', '--config', configFile], env);
    expect([alone.code, alone.out]).toEqual([0, certificate]);
    const all = await run(['keys', 'ca', '--config', configFile, '--with-public-roots'], env);
    expect(all.out.startsWith(certificate)).toBe(true);
    expect(all.out.match(/BEGIN CERTIFICATE/g)?.length).toBeGreaterThan(100);
  });

  it('before the first start exits 2 and says what makes it', async () => {
    const { code, out, err } = await run(['keys', 'ca', '--config', configFile]);
    expect([code, out]).toEqual([2, '']);
    expect(err).toContain('proxy.forward');
  });
});

describe.concurrent('a command to a running sidecar', () => {
  it.each([
    ['nobody listens', { HOLDPOINT_URL: 'http://127.0.0.1:1' }, 3, 'cannot be reached'],
    ['it is the proxy', () => ({ HOLDPOINT_URL: sidecar.proxyUrl }), 3, 'is not a Holdpoint control port'],
    ['it is another server', () => ({ HOLDPOINT_URL: provider.url }), 3, 'is not a Holdpoint control port'],
    ['the host has no address', { HOLDPOINT_URL: 'http://nowhere.invalid:8788' }, 3, 'cannot be reached'],
    ['it is no URL', { HOLDPOINT_URL: 'here' }, 2, 'is not the URL of a control port'],
    ['it has no scheme', { HOLDPOINT_URL: '127.0.0.1:1' }, 2, 'Did you mean http://127.0.0.1:1?'],
    ['the token is wrong', { HOLDPOINT_TOKEN: `hp_${'x'.repeat(43)}` }, 2, 'not known'],
    ['the token is none', { HOLDPOINT_TOKEN: 'a\nb' }, 2, 'This is no control token.'],
  ])('says when %s', async (_, more, code, said) => {
    const ran = await run(['holds', 'list'], { ...env, ...(typeof more === 'function' ? more() : more) });
    expect([ran.code, ran.out]).toEqual([code, '']);
    expect(ran.err).toContain(said);
    expect(ran.err).not.toMatch(/^\s+at /m);
  });

  it('needs a token', async () => {
    const { code, err } = await run(['holds', 'list'], { HOLDPOINT_URL: sidecar.controlUrl });
    expect(code).toBe(2);
    expect(err).toContain('A control token is needed.');
  });
});

describe('holds', () => {
  it('are listed, shown, and released, with exit 1 for a second ruling', async () => {
    const asked = ask('transfer 100 EUR');
    const id = await nextHold();
    const [list, listJson, show] = await Promise.all([
      run(['holds', 'list'], env),
      run(['holds', 'list', '--json'], env),
      run(['holds', 'show', id], env),
    ]);
    expect(list.out).toMatch(new RegExp(`^ID .*\\n${id} +high +transfer_funds amount=100`));
    expect(queueSchema.parse(JSON.parse(listJson.out)).items.map((item) => item.id)).toEqual([id]);
    expect(show.out).toContain('If you release, this tool call reaches the workload:');
    expect(show.out).toContain('"amount": 100');
    expect(show.out).toContain('  because c.name == "transfer_funds": transfer_funds\n');
    const released = await run(['holds', 'release', id, '--reason', 'fine'], env);
    expect([released.code, released.out]).toEqual([0, `${id} is released.\n`]);
    expect((await asked).status).toBe(200);
    const again = await run(['holds', 'release', id], env);
    expect([again.code, again.out]).toEqual([1, '']);
    expect(again.err).toContain('already released');
  });

  it('are denied and amended', async () => {
    const denied = ask('transfer 200 EUR');
    const first = await nextHold();
    const stale = await run(['holds', 'deny', first, '--reason', 'no', '--digest', '0'.repeat(64)], env);
    expect(stale.code).toBe(1);
    expect((await run(['holds', 'deny', first, '--reason', 'no', '--json'], env)).out).toContain(
      '"state": "denied"',
    );
    expect((await denied).status).toBe(403);

    const amended = ask('transfer 300 EUR');
    const second = await nextHold();
    const { out } = await run(['holds', 'show', second, '--json'], env);
    const callId = /"id": "(call_[^"]+)"/.exec(out)?.[1];
    const file = join(directory, 'amendment.json');
    writeFileSync(file, JSON.stringify({ toolCalls: [{ id: callId, arguments: { amount: 1 } }] }));
    const ran = await run(['holds', 'amend', second, '--file', file, '--reason', 'less'], env);
    expect([ran.code, ran.out]).toEqual([0, `${second} is amended.\n`]);
    expect(await (await amended).text()).toContain('{\\"amount\\":1}');
  });

  it('show hostile text as text: no escapes, no reordering, no lines of its own', async () => {
    const hostile = 'escalate \u001b[2J\u001b]0;owned\u0007 \u202egnp.exe \u009b31m\rFAKE\u2028 end';
    const asked = ask(hostile);
    const id = await nextHold();
    const ran = await Promise.all([
      run(['holds', 'list'], env),
      run(['holds', 'show', id], env),
      run(['holds', 'show', id, '--json'], env),
    ]);
    for (const { out } of ran) {
      expect(out).toContain('escalate');
      expect(out.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
    }
    expect(ran[1]?.out).toContain('<U+001B>[2J');
    expect(JSON.stringify(JSON.parse(ran[2]?.out ?? ''))).toContain('\u202egnp.exe');
    await run(['holds', 'deny', id, '--reason', 'no'], env);
    await asked;
  });

  it('that ended are listed for a while only, and where none is left the command says so', async () => {
    const { code, out } = await run(['holds', 'list', '--state', 'expired'], env);
    expect(code).toBe(0);
    expect(out).toBe(
      'No such hold waits here or ended in the last two minutes. The record has all: holdpoint decisions list\n',
    );
  });

  it('that are not there exit 2', async () => {
    expect((await run(['holds', 'show', 'h-00000000-1'], env)).code).toBe(2);
  });
});

describe('decisions and ledger', () => {
  let auditor: Env;
  let ran: Ran[];
  beforeAll(async () => {
    await (await ask('a plain question')).text();
    auditor = { ...env, HOLDPOINT_TOKEN: await newToken('eve', 'auditor') };
    ran = await Promise.all([
      run(['decisions', 'list', '--limit', '2', '--verdict', 'pass'], env),
      run(['decisions', 'export', '--operation', 'messages'], env),
      run(['decisions', 'export'], env),
      run(['ledger', 'checkpoint'], auditor),
      run(['ledger', 'entry', '0'], auditor),
      run(['ledger', 'entry', 'x'], auditor),
      run(['ledger', 'entry', '99999999'], auditor),
      run(['ledger', 'entry', '0'], env),
    ]);
  });

  it('list, show and export decisions', async () => {
    expect(ran[0]?.out).toMatch(/^ID +AT +OPERATION/);
    expect(ran[1]).toMatchObject({ code: 0, out: '' });
    const lines = ran[2]?.out
      .trim()
      .split('\n')
      .map((line) => z.object({ id: z.string() }).parse(JSON.parse(line)));
    expect(lines?.length).toBeGreaterThan(3);
    const shown = await run(['decisions', 'show', lines?.[0]?.id ?? ''], env);
    expect(JSON.parse(shown.out)).toMatchObject({
      id: lines?.[0]?.id,
      entries: expect.arrayContaining([expect.objectContaining({ type: 'response' })]),
    });
  });

  it('print the checkpoint and an entry, and say when there is none', () => {
    expect(ran[3]?.out).toMatch(/^\S+\n\d+\n\S{44}\n\n— \S+ \S+\n$/);
    expect(JSON.parse(ran[4]?.out ?? '')).toMatchObject({ seq: 0, type: 'genesis' });
    expect(ran.slice(5).map(({ code, out }) => [code, out])).toEqual([
      [2, ''],
      [2, ''],
      [2, ''],
    ]);
  });

  it('stop without a stack when the reader of the output leaves', async () => {
    const { child, err, exited } = start(['decisions', 'export'], env);
    child.stdout.destroy();
    expect(await exited).toBe(0);
    expect(err()).toBe('');
  });
});

describe.concurrent('policy', () => {
  it('check and test agree with a good policy', async () => {
    const ran = await Promise.all([
      run(['policy', 'check', policyFile]),
      run(['policy', 'test', policyFile, '--json']),
    ]);
    expect(ran.map(({ code }) => code)).toEqual([0, 0]);
    expect(ran[0]?.out).toContain('loads, and its fixtures hold');
    expect(z.array(z.object({ passed: z.literal(true) })).parse(JSON.parse(ran[1]?.out ?? ''))).toHaveLength(
      8,
    );
  });

  it('test finds a fixture that fails: exit 1; check refuses it: exit 2', async () => {
    const file = join(directory, 'failing.yaml');
    writeFileSync(file, policyText.replace('name: transfer_funds }', 'name: "other\u001b[2J" }'));
    const [tested, checked, told] = await Promise.all([
      run(['policy', 'test', file]),
      run(['policy', 'check', file]),
      run(['policy', 'check', file, '--json']),
    ]);
    expect([tested.code, checked.code, told.code]).toEqual([1, 2, 2]);
    expect(JSON.parse(told.out)).toEqual({ file, ok: false, message: expect.stringContaining(`${file}:`) });
    expect(tested.out).toContain('FAIL large-transfer / hit: expected match, got no-match\n');
    expect(checked.err).toContain(`${file}:`);
  });
});

describe('proofs and exports', () => {
  let auditor: Env;
  let trust: string;
  beforeAll(async () => {
    await (await ask('to be proven')).text();
    auditor = { ...env, HOLDPOINT_TOKEN: await newToken('pia', 'auditor') };
    trust = keyBefore.trim();
  });

  it('prove one entry in a file that verifies offline, alone or with the entry beside it', async () => {
    const [proof, bare, entry] = await Promise.all([
      run(['ledger', 'prove', '3'], auditor),
      run(['ledger', 'prove', '3', '--bare'], auditor),
      run(['ledger', 'entry', '3'], auditor),
    ]);
    expect(proof.out).toMatch(/^c2sp\.org\/tlog-proof@v1\nextra [A-Za-z0-9+/]+=*\nindex 3\n/);
    expect(bare.out).toMatch(/^c2sp\.org\/tlog-proof@v1\nindex 3\n/);
    const files = ['proof', 'bare', 'entry'].map((name) => join(directory, `${name}.tlog-proof`));
    const [proofFile = '', bareFile = '', entryFile = ''] = files;
    [proof, bare, entry].forEach(({ out }, i) => {
      writeFileSync(files[i] ?? '', out);
    });
    const verify = (...args: string[]) => run(['ledger', 'verify-proof', ...args, '--trust', trust]);
    const [whole, beside, without] = await Promise.all([
      verify(proofFile),
      verify(bareFile, '--entry', entryFile, '--json'),
      verify(bareFile),
    ]);
    expect([whole.code, whole.out.split(' ')[0]]).toEqual([0, 'PROVEN']);
    expect(whole.out).toContain('"seq":3');
    expect(JSON.parse(beside.out)).toMatchObject({ ok: true, seq: 3 });
    expect([without.code, without.out]).toEqual([1, expect.stringContaining('FAIL entry_missing')]);
  });

  it('prove an entry without it for who may not read it, and say who may where they cannot', async () => {
    const bare = await run(['ledger', 'prove', '3', '--bare'], env);
    expect([bare.code, bare.err]).toEqual([0, '']);
    expect(bare.out).toMatch(/^c2sp\.org\/tlog-proof@v1\nindex 3\n/);
    expect((await run(['ledger', 'prove', '3'], env)).err).toContain('auditor, admin');
  });

  it('name the entry that is asked for as it was typed', async () => {
    const [none, word] = await Promise.all([
      run(['ledger', 'entry', '99999999'], auditor),
      run(['ledger', 'entry', 'abc'], auditor),
    ]);
    expect(none.err).toMatch(/There is no entry 99999999\.\n.*holdpoint ledger checkpoint/);
    expect(word.err).toMatch(/abc is no number of an entry\.\n/);
  });

  it('refuse a proof that was altered: exit 1 and a reason code', async () => {
    const { out } = await run(['ledger', 'prove', '2', '--bare'], auditor);
    const entry = (await run(['ledger', 'entry', '3'], auditor)).out;
    const [file, other] = [join(directory, 'altered.tlog-proof'), join(directory, 'other.json')];
    writeFileSync(file, out);
    writeFileSync(other, entry);
    const ran = await run(['ledger', 'verify-proof', file, '--trust', trust, '--entry', other]);
    expect([ran.code, ran.out]).toEqual([1, expect.stringContaining('FAIL inclusion_invalid')]);
  });

  it('of what is not there, or without a key, are mistakes of usage: exit 2', async () => {
    const ran = await Promise.all([
      run(['ledger', 'prove', '99999999'], auditor),
      run(['ledger', 'prove', 'x'], auditor),
      run(['ledger', 'prove', '1'], env),
      run(['ledger', 'verify-proof', configFile]),
      run(['ledger', 'export', configFile, '--config', configFile]),
      run(['ledger', 'export', join(directory, 'no', 'such'), '--config', configFile]),
      run(['ledger', 'export-tiles', directory, '--config', configFile]),
    ]);
    expect(ran.map(({ code }) => code)).toEqual([2, 2, 2, 2, 2, 2, 2]);
    for (const { err } of ran) expect(err).not.toContain('at file:');
  });

  it('export all records while the sidecar runs, to a file that verifies, keys included', async () => {
    const file = join(directory, 'ledger.hpj');
    const exported = await run(['ledger', 'export', file, '--config', configFile]);
    expect([exported.code, exported.err]).toEqual([0, '']);
    const [plain, opened] = await Promise.all([
      run(['verify', file, '--trust', trust, '--json']),
      run(['verify', file, '--trust', trust, '--keys', join(dataDir, 'keys'), '--json']),
    ]);
    expect(JSON.parse(plain.out)).toMatchObject({ ok: true, keyTrust: 'given', bodies: { opened: 0 } });
    const { bodies } = z
      .object({ bodies: z.object({ stored: z.number(), opened: z.number() }) })
      .parse(JSON.parse(opened.out));
    expect(bodies.opened).toBe(bodies.stored);
    const bytes = readFileSync(file);
    bytes.writeUInt8(bytes.readUInt8(bytes.length - 30) ^ 1, bytes.length - 30);
    writeFileSync(file, bytes);
    const altered = await run(['verify', file]);
    expect([altered.code, altered.out]).toEqual([1, expect.stringContaining('FAIL store_unreadable')]);
    expect(altered.out).toMatch(/^next: Make sure the file arrived whole/m);
    const keyless = await run(['verify', file, '--keys', join(directory, 'misspelled')]);
    expect([keyless.code, keyless.err]).toEqual([
      2,
      expect.stringContaining('There is no key-encryption key in'),
    ]);
  });

  it('says of one wrong key once what it is the cause of, and how often', async () => {
    const copy = join(directory, 'other-kek');
    cpSync(dataDir, copy, { recursive: true });
    writeFileSync(join(copy, 'keys', 'kek.key'), randomBytes(32).toString('base64'));
    const { code, out } = await run(['verify', copy]);
    expect(code).toBe(1);
    const listed = await run(['verify', copy, '--json']);
    const { findings } = z.object({ findings: z.array(z.unknown()) }).parse(JSON.parse(listed.out));
    const all = findings.length;
    expect(all).toBeGreaterThan(0);
    expect(out.match(/^FAIL key_wrap_invalid at entry /gm)).toHaveLength(Math.min(all, 3));
    if (all > 3) expect(out).toContain(`FAIL key_wrap_invalid: ${all - 3} more, to entry `);
    expect(out).toMatch(/^next: The key-encryption key given is not the one/m);
  });

  it('export the tree to a directory of tiles that has the checkpoint it is under', async () => {
    const dir = join(directory, 'tiles');
    const { code, err } = await run(['ledger', 'export-tiles', dir, '--config', configFile]);
    expect([code, err]).toEqual([0, '']);
    const size = Number(readFileSync(join(dir, 'checkpoint'), 'utf8').split('\n')[1]);
    expect(readFileSync(join(dir, 'tile', '0', '000.p', String(size)))).toHaveLength(32 * size);
    expect(readdirSync(join(dir, 'tile')).sort()).toEqual(['0', 'entries']);
  });
});

describe('the verifier as a page', () => {
  it('is written whole to a file, over no other one', async () => {
    const file = join(directory, 'verify.html');
    const written = await run(['ledger', 'verifier', file]);
    expect([written.code, written.err]).toEqual([0, '']);
    const page = readFileSync(file, 'utf8');
    expect(page).toMatch(/^<!doctype html>/);
    expect(page).toContain("content=\"default-src 'none'; script-src 'sha256-");
    const again = await run(['ledger', 'verifier', file]);
    expect([again.code, again.err]).toEqual([2, expect.stringContaining('cannot be written')]);
  });
});

describe('verify', () => {
  let copy: string;
  let verdict: Ran;
  beforeAll(async () => {
    copy = join(directory, 'copy');
    cpSync(dataDir, copy, { recursive: true });
    verdict = await run(['verify', dataDir, '--json']);
  });

  it('of a ledger in use says INTACT and exits 0', async () => {
    const { code, out } = await run(['verify', dataDir]);
    expect(code).toBe(0);
    expect(out).toMatch(/^INTACT {2}\S+ {2}assurance LOCAL/);
    expect(JSON.parse(verdict.out)).toMatchObject({ ok: true, assurance: 'LOCAL' });
  });

  it('trusts the key it is given, alone or in a file', async () => {
    const file = join(directory, 'trusted.txt');
    writeFileSync(file, `# kept by the auditor\n${keyBefore}`);
    const ran = await Promise.all([
      run(['verify', copy, '--trust', keyBefore.trim()]),
      run(['verify', copy, '--trust', file]),
    ]);
    expect(ran.map(({ code }) => code)).toEqual([0, 0]);
  });

  it('with another key is a finding: exit 1', async () => {
    const other = join(directory, 'other');
    const house = { HOLDPOINT_DATA_DIR: other };
    const running = await runSidecar(configFile, house);
    const key = (await run(['keys', 'show', '--config', configFile], house)).out.trim();
    running.child.kill('SIGTERM');
    await running.exited;
    const { code, out } = await run(['verify', copy, '--trust', key]);
    expect([code, out.split(' ')[0]]).toEqual([1, 'NOT']);
    expect(out).toContain('FAIL key_unknown');
  });

  it.each(['garbage', 'a+b+c', ''])('with "%s" for a key is a mistake of usage: exit 2', async (trust) => {
    const { code, out, err } = await run(['verify', copy, '--trust', trust]);
    expect([code, out]).toEqual([2, '']);
    expect(err).toContain('holdpoint keys show');
  });

  it('remembers a checkpoint that was kept, and finds a ledger that lost what it covered', async () => {
    const kept = join(directory, 'kept.note');
    writeFileSync(kept, (await run(['ledger', 'checkpoint'], env)).out);
    await (await ask('one more question')).text();
    const [now, before] = await Promise.all([
      run(['verify', dataDir, '--checkpoint', kept]),
      run(['verify', copy, '--checkpoint', kept, '--json']),
    ]);
    expect(now.code).toBe(0);
    // The copy was made before the checkpoint was taken, unless nothing was sealed in between.
    const { size } = z.object({ size: z.number() }).parse(JSON.parse(before.out));
    expect(before.code).toBe(size < Number(readFileSync(kept, 'utf8').split('\n')[1]) ? 1 : 0);
  });

  it.each([
    ['the configuration', 'proxy: {}\n'],
    ['a verifier key', 'holdpoint.example/a+0123abcd+AZ0l3c1zRDhaF3kRK3ym8aVTSSsuqSu2oOUkO3uDQOPT\n'],
    ['a page of a server that has none', '<html>\n<body>404</body>\n</html>\n'],
  ])('with %s for a checkpoint is a mistake of usage: exit 2', async (_, text) => {
    const file = join(directory, 'no-checkpoint');
    writeFileSync(file, text);
    const { code, out, err } = await run(['verify', copy, '--checkpoint', file]);
    expect([code, out]).toEqual([2, '']);
    expect(err).toContain(`${file} is no checkpoint: nothing was verified.`);
    expect(err).toContain('holdpoint ledger checkpoint');
  });

  it('of the ledger in a data directory names the data directory: exit 2', async () => {
    const { code, err } = await run(['verify', join(copy, 'ledger')]);
    expect(code).toBe(2);
    expect(err).toContain(`Name the directory that it is in: ${copy}.`);
  });

  it('of a text is a mistake of usage: exit 2', async () => {
    const { code, out, err } = await run(['verify', configFile]);
    expect([code, out]).toEqual([2, '']);
    expect(err).toContain(`${configFile} is a text, and no export: nothing was verified.`);
  });

  it('names the first bad entry and a reason code: exit 1', async () => {
    const segment = readdirSync(join(copy, 'ledger')).find((name) => name.endsWith('.hpj')) ?? '';
    const file = join(copy, 'ledger', segment);
    const bytes = readFileSync(file);
    // Within the first bodies: of blocks LevelDB has another copy.
    const place = bytes.indexOf('HPV1') + 200;
    bytes[place] = (bytes[place] ?? 0) ^ 1;
    writeFileSync(file, bytes);
    const { code, out } = await run(['verify', copy]);
    expect(code).toBe(1);
    expect(out).toMatch(/^NOT INTACT/);
    expect(out).toMatch(/^FAIL [a-z_]+( at entry \d+)?: /m);
  });
});
