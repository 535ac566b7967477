import { spawnSync } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const logger = fileURLToPath(new URL('../../../src/telemetry/logger.ts', import.meta.url));
const errors = fileURLToPath(new URL('../../../src/core/errors.ts', import.meta.url));

/** What a process that logs so writes to standard error, line by line. */
function logged(code: string, stderr: 'pipe' | number = 'pipe') {
  const script = `import { createLogger } from ${JSON.stringify(logger)}; import { HoldpointError } from ${JSON.stringify(errors)}; const log = createLogger('info'); ${code}; process.stdout.write('went on')`;
  const ran = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', stderr],
  });
  const lines = (ran.stderr ?? '').split('\n').filter((line) => line !== '');
  return {
    out: ran.stdout,
    status: ran.status,
    lines: lines.map((line): unknown => JSON.parse(line)),
    text: ran.stderr ?? '',
  };
}

describe('the log', () => {
  it('is one JSON object on each line, whatever is in it', () => {
    const { lines } = logged(`log.info('a\\nb', { id: 'x"\\n{' }); log.warn('c')`);
    expect(lines).toMatchObject([
      { level: 30, msg: 'a\nb', id: 'x"\n{', time: expect.stringMatching(/^\d{4}-\d\d-\d\dT/) },
      { level: 40, msg: 'c' },
    ]);
  });

  it('says of our errors the code, and of others where they happened', () => {
    const { lines } = logged(
      `log.error('one', new HoldpointError('config_invalid', 'wrong', '', new Error('cause'))); log.error('two', new Error('oops'))`,
    );
    expect(lines).toMatchObject([
      { msg: 'one', code: 'config_invalid', message: 'wrong', cause: 'cause' },
      { msg: 'two', code: 'internal', message: 'oops', stack: expect.stringContaining('at ') },
    ]);
  });

  it('says of a defect of ours where it happened', () => {
    const { lines } = logged(`log.error('one', new HoldpointError('internal', 'oops'))`);
    expect(lines).toMatchObject([{ code: 'internal', stack: expect.stringMatching(/\n +at /) }]);
  });

  it('says of our errors what to do next, where they say so', () => {
    const { lines } = logged(
      `log.error('one', new HoldpointError('config_invalid', 'wrong', 'Restore it.')); log.error('two', new HoldpointError('config_invalid', 'wrong'))`,
    );
    expect(lines).toMatchObject([{ msg: 'one', next: 'Restore it.' }, { msg: 'two' }]);
    expect(lines[1]).not.toHaveProperty('next');
  });

  it('never quotes what a parser could not read', () => {
    const { lines, text } = logged(
      `try { JSON.parse('canary-content') } catch (e) { log.error('x', e); log.error('y', new HoldpointError('ledger_damaged', 'm', '', e)) }`,
    );
    expect(lines).toHaveLength(2);
    expect(text).not.toContain('canary');
  });

  it('that cannot be written does not end the process', () => {
    const full = openSync('/dev/full', 'w');
    try {
      const { out, status } = logged(`for (let i = 0; i < 3; i++) log.info('x')`, full);
      expect([status, out]).toEqual([0, 'went on']);
    } finally {
      closeSync(full);
    }
  });
});
