/** Commands to a running sidecar: who cannot be reached or is not let in, and rulings. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { run } from '../support/process.ts';
import { type CommandScene, openCommandScene, queueSchema } from './scene.ts';

let scene: CommandScene;
beforeAll(async () => {
  scene = await openCommandScene();
});
afterAll(() => scene.close());

describe.concurrent('a command to a running sidecar', () => {
  it.each([
    ['nobody listens', { HOLDPOINT_URL: 'http://127.0.0.1:1' }, 3, 'cannot be reached'],
    [
      'it is the proxy',
      () => ({ HOLDPOINT_URL: scene.sidecar.proxyUrl }),
      3,
      'is not a Holdpoint control port',
    ],
    [
      'it is another server',
      () => ({ HOLDPOINT_URL: scene.provider.url }),
      3,
      'is not a Holdpoint control port',
    ],
    ['the host has no address', { HOLDPOINT_URL: 'http://nowhere.invalid:8788' }, 3, 'cannot be reached'],
    ['it is no URL', { HOLDPOINT_URL: 'here' }, 2, 'is not the URL of a control port'],
    ['it has no scheme', { HOLDPOINT_URL: '127.0.0.1:1' }, 2, 'Did you mean http://127.0.0.1:1?'],
    ['the token is wrong', { HOLDPOINT_TOKEN: `hp_${'x'.repeat(43)}` }, 2, 'not known.\nTake the one'],
    ['the token is none', { HOLDPOINT_TOKEN: 'a\nb' }, 2, 'This is no control token.'],
  ])('says when %s', async (_, more, code, said) => {
    const ran = await run(['holds', 'list'], {
      ...scene.env,
      ...(typeof more === 'function' ? more() : more),
    });
    expect([ran.code, ran.out]).toEqual([code, '']);
    expect(ran.err).toContain(said);
    expect(ran.err).not.toMatch(/^\s+at /m);
  });

  it('needs a token', async () => {
    const { code, err } = await run(['holds', 'list'], { HOLDPOINT_URL: scene.sidecar.controlUrl });
    expect(code).toBe(2);
    expect(err).toContain('A control token is needed.');
  });
});

describe('holds', () => {
  it('are listed, shown, and released, with exit 1 for a second ruling', async () => {
    const asked = scene.ask('transfer 100 EUR');
    const id = await scene.nextHold();
    const [list, listJson, show] = await Promise.all([
      run(['holds', 'list'], scene.env),
      run(['holds', 'list', '--json'], scene.env),
      run(['holds', 'show', id], scene.env),
    ]);
    expect(list.out).toMatch(new RegExp(`^ID .*\\n${id} +high +transfer_funds amount=100`));
    expect(queueSchema.parse(JSON.parse(listJson.out)).items.map((item) => item.id)).toEqual([id]);
    expect(show.out).toContain('If you release, this tool call reaches the workload:');
    expect(show.out).toContain('"amount": 100');
    expect(show.out).toContain('  because c.name == "transfer_funds": transfer_funds\n');
    // What a rule says can be pages long: it hides nothing that a reviewer rules by.
    const parts = ['\nIf you release', '\nHeld by', '\nWho rules', '\nuser\n', '\nThe rule', '\ndigest'];
    const places = parts.map((part) => show.out.indexOf(part));
    expect(places).toEqual(places.toSorted((a, b) => a - b));
    expect(places).not.toContain(-1);
    const released = await run(['holds', 'release', id, '--reason', 'fine'], scene.env);
    expect([released.code, released.out]).toEqual([0, `${id} is released.\n`]);
    expect((await asked).status).toBe(200);
    const again = await run(['holds', 'release', id], scene.env);
    expect([again.code, again.out]).toEqual([1, '']);
    expect(again.err).toContain('already released');
    const over = (await run(['holds', 'show', id], scene.env)).out;
    expect(over).toMatch(/^workload billing-agent {2}model gpt-test {2}held \S+Z {2}outcome [\w ]+$/m);
    expect(over).toMatch(/^release by ada \(reviewer\) at \S+Z\n {2}fine\n\nWhat was held, a tool call:\n/m);
    expect(over).not.toContain('If you release');
  });

  it('are denied and amended', async () => {
    const denied = scene.ask('transfer 200 EUR');
    const first = await scene.nextHold();
    const stale = await run(
      ['holds', 'deny', first, '--reason', 'no', '--digest', '0'.repeat(64)],
      scene.env,
    );
    expect(stale.code).toBe(1);
    expect((await run(['holds', 'deny', first, '--reason', 'no', '--json'], scene.env)).out).toContain(
      '"state": "denied"',
    );
    expect((await denied).status).toBe(403);

    const amended = scene.ask('transfer 300 EUR');
    const second = await scene.nextHold();
    const { out } = await run(['holds', 'show', second, '--json'], scene.env);
    const callId = /"id": "(call_[^"]+)"/.exec(out)?.[1];
    const file = join(scene.directory, 'amendment.json');
    writeFileSync(file, JSON.stringify({ toolCalls: [{ id: callId, arguments: { amount: 1 } }] }));
    for (const [text, why] of [
      ['{"text":9007199254740993}', 'its number 9007199254740993 would be sent as 9007199254740992'],
      ['{"text":"a","text":"b"}', 'it has the key "text" more than once'],
    ] as const) {
      const other = join(scene.directory, 'other.json');
      writeFileSync(other, text);
      const refused = await run(['holds', 'amend', second, '--file', other, '--reason', 'less'], scene.env);
      expect([refused.code, refused.err]).toEqual([2, expect.stringContaining(why)]);
    }
    const ran = await run(['holds', 'amend', second, '--file', file, '--reason', 'less'], scene.env);
    expect([ran.code, ran.out]).toEqual([0, `${second} is amended.\n`]);
    expect(await (await amended).text()).toContain('{\\"amount\\":1}');
    const over = (await run(['holds', 'show', second], scene.env)).out;
    expect(over).toMatch(/^amend by ada \(reviewer\) at \S+Z\n {2}less$/m);
    expect(over).toContain(
      'A reviewer put this in its place\n  calls transfer_funds\n  {\n    "amount": 1\n  }\n',
    );
  });

  it('show hostile text as text: no escapes, no reordering, no lines of its own', async () => {
    const hostile = 'escalate \u001b[2J\u001b]0;owned\u0007 \u202egnp.exe \u009b31m\rFAKE\u2028 end';
    const asked = scene.ask(hostile);
    const id = await scene.nextHold();
    const ran = await Promise.all([
      run(['holds', 'list'], scene.env),
      run(['holds', 'show', id], scene.env),
      run(['holds', 'show', id, '--json'], scene.env),
    ]);
    for (const { out } of ran) {
      expect(out).toContain('escalate');
      expect(out.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
    }
    expect(ran[1]?.out).toContain('<U+001B>[2J');
    expect(JSON.stringify(JSON.parse(ran[2]?.out ?? ''))).toContain('\u202egnp.exe');
    await run(['holds', 'deny', id, '--reason', 'no'], scene.env);
    await asked;
  });

  it('that ended are listed for a while only, and where none is left the command says so', async () => {
    const { code, out } = await run(['holds', 'list', '--state', 'expired'], scene.env);
    expect(code).toBe(0);
    expect(out).toBe(
      'No such hold waits here or ended in the last two minutes. The record has all: holdpoint decisions list\n',
    );
  });

  it('that are not there exit 2', async () => {
    expect((await run(['holds', 'show', 'h-00000000-1'], scene.env)).code).toBe(2);
  });
});
