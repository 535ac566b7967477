/** What was recorded, as lines and as JSON, and the policy as a file. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type Env, type Ran, run, start } from '../support/process.ts';
import { policyText } from '../support/sidecar.ts';
import { type CommandScene, openCommandScene } from './scene.ts';

let scene: CommandScene;
beforeAll(async () => {
  scene = await openCommandScene();
});
afterAll(() => scene.close());

describe('decisions and ledger', () => {
  let auditor: Env;
  let ran: Ran[];
  beforeAll(async () => {
    for (const word of ['first', 'second', 'third', 'fourth'])
      await (await scene.ask(`a plain ${word} question`)).text();
    auditor = { ...scene.env, HOLDPOINT_TOKEN: await scene.newToken('eve', 'auditor') };
    ran = await Promise.all([
      run(['decisions', 'list', '--limit', '2', '--verdict', 'pass'], scene.env),
      run(['decisions', 'export', '--operation', 'messages'], scene.env),
      run(['decisions', 'export'], scene.env),
      run(['ledger', 'checkpoint'], auditor),
      run(['ledger', 'entry', '0'], auditor),
      run(['ledger', 'entry', 'x'], auditor),
      run(['ledger', 'entry', '99999999'], auditor),
      run(['ledger', 'entry', '0'], scene.env),
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
    const shown = await run(['decisions', 'show', lines?.[0]?.id ?? ''], scene.env);
    expect(JSON.parse(shown.out)).toMatchObject({
      id: lines?.[0]?.id,
      entries: expect.arrayContaining([expect.objectContaining({ type: 'response' })]),
    });
  });

  it('are exported with what was said, where somebody asks who may read it', async () => {
    await (await scene.ask('a question of hers', { 'holdpoint-subject': 'customer-77' })).text();
    const hers = ['decisions', 'export', '--subject', 'customer-77', '--content'];
    const [reader, viewer] = await Promise.all([
      run(hers, auditor),
      scene.newToken('vera', 'viewer').then((token) => run(hers, { ...scene.env, HOLDPOINT_TOKEN: token })),
    ]);
    expect(reader).toMatchObject({ code: 0, err: '' });
    expect(JSON.parse(reader.out)).toMatchObject({
      id: expect.stringMatching(/^d-/),
      content: { request: { messages: [{ text: 'a question of hers' }] }, response: { status: 200 } },
    });
    expect(viewer).toMatchObject({ code: 2, out: '', err: expect.stringContaining('viewer') });
    const { id } = z.object({ id: z.string() }).parse(JSON.parse(reader.out));
    const { entries } = z
      .object({ entries: z.array(z.looseObject({ type: z.string(), data: z.looseObject({}) })) })
      .parse(JSON.parse((await run(['decisions', 'show', id], auditor)).out));
    expect(entries.at(-1)).toMatchObject({ type: 'access', data: { action: 'read exchange', by: 'eve' } });

    const privacy = { ...scene.env, HOLDPOINT_TOKEN: await scene.newToken('petra', 'privacy') };
    const why = ['--basis', 'objection', '--reason', 'request 5'];
    expect((await run(['erase', 'subject', 'customer-77', ...why], privacy)).code).toBe(0);
    const gone = await run(hers, auditor);
    expect(gone).toMatchObject({ code: 0, err: '' });
    expect(JSON.parse(gone.out)).toMatchObject({ id, content: null });
  });

  it('are found by who ruled on them, and say who did', async () => {
    const asked = scene.ask('please escalate');
    const hold = await scene.nextHold();
    await run(['holds', 'release', hold, '--reason', 'Fine.'], scene.env);
    await asked;
    const [ruled, none] = await Promise.all([
      run(['decisions', 'list', '--ruled-by', 'ada'], scene.env),
      run(['decisions', 'list', '--ruled-by', 'nobody'], scene.env),
    ]);
    expect(ruled.out.trim().split('\n')).toEqual([
      expect.stringMatching(/OUTCOME +RULED BY$/),
      expect.stringMatching(/ ada$/),
    ]);
    expect([none.code, none.out.trim().split('\n').length]).toEqual([0, 1]);
  });

  it('show what was said, and that it was read is sealed', async () => {
    const [line = ''] = (ran[2]?.out ?? '').split('\n');
    const { id } = z.object({ id: z.string() }).parse(JSON.parse(line));
    const [said, told] = await Promise.all([
      run(['decisions', 'show', id, '--content'], auditor),
      run(['decisions', 'show', id, '--content', '--json'], auditor),
    ]);
    expect(said.out).toMatch(/^\nWhat the workload asked\n {2}user\n {6}a plain fourth question\n/);
    expect(JSON.parse(told.out)).toMatchObject({ response: { status: 200 }, amendedResponse: null });
    const { entries } = z
      .object({ entries: z.array(z.object({ type: z.string(), data: z.record(z.string(), z.json()) })) })
      .parse(JSON.parse((await run(['decisions', 'show', id], auditor)).out));
    const read = { action: 'read exchange', by: 'eve' };
    expect(entries.filter(({ type }) => type === 'access').map(({ data }) => data)).toMatchObject([
      read,
      read,
    ]);
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
    const { child, err, exited } = start(['decisions', 'export'], scene.env);
    child.stdout.destroy();
    expect(await exited).toBe(0);
    expect(err()).toBe('');
  });
});

describe.concurrent('policy', () => {
  it('check and test agree with a good policy', async () => {
    const ran = await Promise.all([
      run(['policy', 'check', scene.policyFile]),
      run(['policy', 'test', scene.policyFile, '--json']),
    ]);
    expect(ran.map(({ code }) => code)).toEqual([0, 0]);
    expect(ran[0]?.out).toContain('loads, and its tests pass');
    expect(z.array(z.object({ passed: z.literal(true) })).parse(JSON.parse(ran[1]?.out ?? ''))).toHaveLength(
      8,
    );
  });

  it('test finds a fixture that fails: exit 1; check refuses it: exit 2', async () => {
    const file = join(scene.directory, 'failing.yaml');
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
