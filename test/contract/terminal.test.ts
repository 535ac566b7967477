/** The command line on a real pseudo-terminal, made by `script`, and completion in a real shell. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mainFile, run, start } from './support/process.ts';
import { eventually, type House, nextHold, startHouse } from './support/sidecar.ts';

let house: House;
let env: Record<string, string>;
beforeAll(async () => {
  house = await startHouse();
  env = { HOLDPOINT_URL: house.sidecar.controlUrl, HOLDPOINT_TOKEN: house.tokens.reviewer };
});
afterAll(() => house.close());

/** `holdpoint` with these arguments on a terminal of 30 rows of 120 columns. */
function onTerminal(args: string, more: Record<string, string> = {}) {
  const command = `stty cols 120 rows 30; exec ${process.execPath} --disable-warning=ExperimentalWarning ${mainFile} ${args}`;
  const child = spawn('script', ['-qec', command, '/dev/null'], {
    env: { PATH: process.env['PATH'] ?? '', TERM: 'xterm', SHELL: '/bin/sh', ...env, ...more },
  });
  let out = '';
  child.stdout.on('data', (chunk: Buffer) => {
    out += chunk.toString();
  });
  const exited = once(child, 'close').then(() => child.exitCode);
  return {
    out: () => out,
    exited,
    type: (text: string) => child.stdin.write(text),
    shows: (what: RegExp | string) =>
      eventually(async () => (typeof what === 'string' ? out.includes(what) : what.test(out))),
  };
}

describe('the queue on a terminal', () => {
  it('shows a hold as it comes, lets it be read and released, and gives the terminal back', async () => {
    const terminal = onTerminal('holds');
    await terminal.shows('Nothing is held.');
    const asked = house.ask('transfer 25000 EUR \u001b]0;owned\u0007\u001b[2J');
    const held = await nextHold(house);
    await terminal.shows(held.id);
    terminal.type('\r');
    await terminal.shows('If you release, this tool call reaches the workload: transfer_funds');
    await terminal.shows('<U+001B>]0;owned<U+0007><U+001B>[2J');
    terminal.type('r');
    await terminal.shows('Release (reason, or none)');
    terminal.type('checked\r');
    expect((await asked).status).toBe(200);
    await terminal.shows('your release is sealed');
    terminal.type('q');
    expect(await terminal.exited).toBe(0);
    expect(terminal.out()).not.toContain('\u001b]0;');
    expect(terminal.out()).not.toContain('\u001b[2J');
    expect(terminal.out().trimEnd().endsWith('\u001b[?25h\u001b[?1049l')).toBe(true);
    const { out } = await run(['decisions', 'show', held.decisionId, '--json'], env);
    expect(out).toContain('"reviewer-1"');
  });

  it('asks again for the reason of a denial, and says why a key is not open to whoever pressed it', async () => {
    const asked = house.ask('transfer 1 EUR');
    const held = await nextHold(house);
    const viewer = onTerminal('holds', { HOLDPOINT_TOKEN: house.tokens.viewer });
    await viewer.shows(held.id);
    viewer.type('\r');
    await viewer.shows('(d deny)');
    viewer.type('d');
    await viewer.shows('Not open to you: This hold needs one of the roles: reviewer.');
    viewer.type('\u0003');
    expect(await viewer.exited).toBe(0);
    const terminal = onTerminal('holds');
    await terminal.shows(held.id);
    terminal.type('\r');
    await terminal.shows('esc back');
    terminal.type('d\r');
    await terminal.shows('A reason is required to deny.');
    terminal.type('not today\r');
    expect((await asked).status).toBe(403);
    await terminal.shows('your deny is sealed');
    terminal.type('q');
    expect(await terminal.exited).toBe(0);
  });

  it('shows who approved while it is looked at, and breaks the glass in two steps', async () => {
    const asked = house.ask('delete all records');
    const held = await nextHold(house);
    const terminal = onTerminal('holds', { HOLDPOINT_TOKEN: house.tokens.admin });
    await terminal.shows(held.id);
    terminal.type('\r');
    await terminal.shows('[ ] 2 x reviewer or admin, 2 still needed');
    await house.call(`/api/v1/holds/${held.id}/rulings`, {
      json: { verdict: 'release', digest: held.digest },
    });
    await terminal.shows('approved by reviewer-1 (reviewer), 1 still needed');
    terminal.type('b');
    await terminal.shows('Break the glass, because');
    terminal.type('nobody else is there\r');
    await terminal.shows('Type BREAK to release it alone now');
    terminal.type('\r');
    await terminal.shows('Type BREAK, in capitals, or press escape.');
    terminal.type('BREAK\r');
    expect((await asked).status).toBe(200);
    await terminal.shows('your broken glass is sealed');
    terminal.type('q');
    expect(await terminal.exited).toBe(0);
    const { out } = await run(['decisions', 'show', held.decisionId, '--json'], env);
    expect(out).toContain('"breakGlass"');
  });

  it.each([
    ['is sealed', 'not today', 0, /: your deny is sealed\.\s*$/],
    ['is refused', 'too late', 1, /holdpoint: The hold is already released\./],
  ])(
    'says on the shell’s own screen that a ruling under way when somebody leaves %s',
    async (_, reason, code, words) => {
      const asked = house.ask(`transfer ${8 + code} EUR`);
      const held = await nextHold(house);
      const arrived = Promise.withResolvers<void>();
      const goOn = Promise.withResolvers<void>();
      // In front of the sidecar, so that a ruling takes as long as the test wants.
      const slow = createServer(async (req, res) => {
        const chunks: Buffer[] = [];
        for await (const chunk of req) chunks.push(chunk);
        if (req.method === 'POST') {
          arrived.resolve();
          await goOn.promise;
        }
        const answer = await fetch(new URL(req.url ?? '/', house.sidecar.controlUrl), {
          method: req.method ?? 'GET',
          headers: {
            authorization: req.headers.authorization ?? '',
            ...(req.method === 'POST' ? { 'content-type': 'application/json' } : {}),
          },
          ...(req.method === 'POST' ? { body: Buffer.concat(chunks) } : {}),
        });
        const type = answer.headers.get('content-type') ?? '';
        res.writeHead(answer.status, { 'content-type': type }).end(await answer.text());
      });
      slow.listen(0, '127.0.0.1');
      await once(slow, 'listening');
      const address = slow.address();
      const port = typeof address === 'object' ? address?.port : 0;
      const terminal = onTerminal('holds', { HOLDPOINT_URL: `http://127.0.0.1:${port}` });
      await terminal.shows(held.id);
      terminal.type('\r');
      await terminal.shows('esc back');
      terminal.type(`d${reason}\r`);
      await arrived.promise;
      terminal.type('\u0003');
      await terminal.shows('\u001b[?1049l');
      if (code !== 0)
        await house.call(`/api/v1/holds/${held.id}/rulings`, {
          json: { verdict: 'release', digest: held.digest },
        });
      goOn.resolve();
      expect(await terminal.exited).toBe(code);
      const after = terminal
        .out()
        .slice(terminal.out().lastIndexOf('\u001b[?1049l') + '\u001b[?1049l'.length);
      expect(after).toMatch(words);
      expect(after).not.toContain('\u001b');
      await (await asked).text();
      slow.close();
    },
  );

  it('has no colours where NO_COLOR says so', async () => {
    const asked = house.ask('transfer 2 EUR');
    const held = await nextHold(house);
    const coloured = onTerminal('holds');
    await coloured.shows(held.id);
    coloured.type('q');
    await coloured.exited;
    const plain = onTerminal('holds', { NO_COLOR: '1' });
    await plain.shows(held.id);
    plain.type('q');
    await plain.exited;
    // biome-ignore lint/suspicious/noControlCharactersInRegex: colours are control sequences.
    const colours = /\u001b\[\d+m/;
    expect([colours.test(coloured.out()), colours.test(plain.out())]).toEqual([true, false]);
    await house.call(`/api/v1/holds/${held.id}/rulings`, {
      json: { verdict: 'release', digest: held.digest },
    });
    await asked;
  });
});

describe('without a terminal', () => {
  it('holds prints a plain list, and JSON where asked', async () => {
    expect((await run(['holds'], env)).out).toBe('Nothing is held.\n');
    expect(JSON.parse((await run(['holds', '--json'], env)).out)).toEqual({
      items: [],
      total: 0,
      next: null,
      unreadable: [],
      unreadableEntries: 0,
    });
  });

  it('holds watch says a line for each hold that comes and goes, until it is interrupted', async () => {
    const watching = start(['holds', 'watch'], env);
    const asked = house.ask('transfer 3 EUR');
    const held = await nextHold(house);
    await eventually(async () => watching.out().includes(`held  ${held.id}  [high]`));
    await house.call(`/api/v1/holds/${held.id}/rulings`, {
      json: { verdict: 'release', digest: held.digest },
    });
    await asked;
    await eventually(async () => watching.out().includes(`over  ${held.id}`));
    watching.child.kill('SIGINT');
    expect(await watching.exited).toBe(0);
  });
});

describe('completion', () => {
  const has = (shell: string) => spawnSync(shell, ['-c', 'exit 0']).status === 0;

  async function bashCompletes(...words: string[]): Promise<string[]> {
    const { out, code } = await run(['completion', 'bash']);
    expect(code).toBe(0);
    const script = `${out}\nCOMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length - 1}\n_holdpoint; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const { stdout, stderr } = spawnSync('bash', ['--norc', '-c', script], { encoding: 'utf8' });
    expect(stderr).toBe('');
    return stdout.trim().split('\n');
  }

  it('in bash offers commands, their second words and their options', async () => {
    expect(await bashCompletes('holdpoint', 'ho')).toEqual(['holds']);
    expect(await bashCompletes('holdpoint', 'holds', '')).toEqual([
      'watch',
      'list',
      'show',
      'release',
      'deny',
      'amend',
      'comment',
      'take',
      'hand-over',
      'give-back',
      'reviews',
      'review',
    ]);
    expect(await bashCompletes('holdpoint', 'holds', 'deny', '--r')).toEqual(['--reason']);
    expect(await bashCompletes('holdpoint', 'verify', './data', '--tr')).toEqual(['--trust']);
  });

  it.each(['zsh', 'fish'])('in %s is a script that the shell can read', async (shell) => {
    const { out, code } = await run(['completion', shell]);
    expect(code).toBe(0);
    expect(out).toContain('release');
    if (!has(shell)) return;
    const file = join(house.directory, `completion.${shell}`);
    writeFileSync(file, out);
    const { status, stderr } = spawnSync(shell, ['-n', file], { encoding: 'utf8' });
    expect([status, stderr]).toEqual([0, '']);
  });

  it('of another shell is refused', async () => {
    expect((await run(['completion', 'tcsh'])).code).toBe(2);
  });
});
