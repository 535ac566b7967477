/** What the command line explains, and the mistakes it names. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { run } from '../support/process.ts';
import { type CommandScene, openCommandScene } from './scene.ts';

let scene: CommandScene;
beforeAll(async () => {
  scene = await openCommandScene();
});
afterAll(() => scene.close());

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
    [['keys', '--config', 'holdpoint.yaml'], 'keys alone is no command.\nThere are: keys rotate'],
    [['token', 'nwe'], 'Did you mean holdpoint token new?'],
    [['holds', 'show'], 'See holdpoint holds show --help.'],
    [['holds', 'relase', 'h-1'], 'There is no command holds relase.\nDid you mean holdpoint holds release?'],
    [['holds', '--json', 'h-1'], 'was given "h-1"'],
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
    const { code, out, err } = await run(args, scene.env);
    expect([code, out]).toEqual([2, '']);
    expect(err).toContain(said);
    expect(err).not.toMatch(/^\s+at /m);
  });

  it.each([
    [['decisions', 'list', '--since', 'yesterday'], 'since must be a time'],
    [['delegations', 'begin', '--to', 'bob', '--until', 'tomorrow'], 'until must be a time'],
  ])('%j that the sidecar refuses leads to the help of the command', async (args, said) => {
    const { code, err } = await run(args, scene.env);
    expect(code).toBe(2);
    expect(err).toContain(said);
    expect(err).toMatch(new RegExp(`\\nSee holdpoint ${args[0]} ${args[1]} --help\\.\\n$`));
  });

  it('names the bases of an erasure where it is asked how to order one', async () => {
    const { out } = await run(['erase', 'subject', '--help']);
    expect(out.replaceAll(/\s+/g, ' ')).toContain('B is one of no_longer_needed, consent_withdrawn,');
    expect(out).not.toContain('retention');
  });

  it.each([[{ HOLDPOINT_TOKEN: '' }], [{}]])('with %j says that a token is needed', async (env) => {
    const { code, err } = await run(['holds', 'list'], env);
    expect(code).toBe(2);
    expect(err).toContain('A control token is needed.');
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

  it.each([
    [
      'http://gateway.test/v1',
      '/',
      'asks for http://gateway.test/v1/v1/… there: end upstreams.openai.url before it.',
    ],
    ['http://gateway.test/v1', '/v1', null],
    ['http://gateway.test/api', '/', null],
  ])(
    'of an upstream at %s, mounted at %s, says where calls would lead astray: %s',
    async (url, mount, said) => {
      const { code, out } = await run(['config', 'check'], {
        HOLDPOINT_UPSTREAMS_OPENAI_URL: url,
        HOLDPOINT_UPSTREAMS_OPENAI_MOUNT: mount,
      });
      expect(code).toBe(0);
      if (said === null) expect(out).not.toContain('A client that asks');
      else expect(out).toContain(said);
    },
  );

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
