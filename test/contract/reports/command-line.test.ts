/** A file of decisions, reported by the command line. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { run } from '../support/process.ts';
import { type House, startHouse } from '../support/sidecar.ts';
import { chat } from './scene.ts';

let house: House;
beforeAll(async () => {
  house = await startHouse();
});
afterAll(() => house.close());

describe('holdpoint decisions report', () => {
  it('puts nothing that is no text into other words', async () => {
    const file = join(house.directory, 'latin1.ndjson');
    const line = JSON.stringify({
      ...chat('latin-1'),
      request: { messages: [{ role: 'user', content: 'Zoë' }] },
    });
    writeFileSync(file, Buffer.from(`${line}\n`, 'latin1'));
    const env = { HOLDPOINT_URL: house.sidecar.controlUrl, HOLDPOINT_TOKEN: house.tokens.reporter };
    const { code, out } = await run(['decisions', 'report', file], env);
    expect(code).toBe(1);
    expect(out).toContain(`${file}:1: invalid_argument: the line is not valid UTF-8.`);
  });

  it('seals a file and says which lines it refused; again, all is known', async () => {
    const file = join(house.directory, 'decisions.ndjson');
    writeFileSync(file, `${JSON.stringify(chat('cli-1'))}\n\nnot JSON\n${JSON.stringify(chat('cli-2'))}\n`);
    const env = { HOLDPOINT_URL: house.sidecar.controlUrl, HOLDPOINT_TOKEN: house.tokens.reporter };
    const first = await run(['decisions', 'report', file], env);
    expect(first.code).toBe(1);
    expect(first.out).toContain(`${file}:3: invalid_argument`);
    expect(first.out).toContain('2 sealed as reported, 0 known before, 1 refused');
    expect((await run(['decisions', 'report', file], env)).out).toContain('0 sealed as reported, 2 known');
    const listed = await run(['decisions', 'list', '--limit', '2'], {
      ...env,
      HOLDPOINT_TOKEN: house.tokens.viewer,
    });
    expect(listed.out.match(/reported by reporter-1/g)).toHaveLength(2);
  });

  const reporterEnv = () => ({
    HOLDPOINT_URL: house.sidecar.controlUrl,
    HOLDPOINT_TOKEN: house.tokens.reporter,
  });

  it.each([
    [
      'a table',
      'id,outcome\nx-1,allowed\nx-2,denied\n',
      'none of its 3 lines is a JSON object, from line 1 on',
      '',
    ],
    ['one JSON array', JSON.stringify([chat('in-array')], null, 1), 'from line 1 on', "jq -c '.[]'"],
    ['one object over many lines', JSON.stringify(chat('in-object'), null, 1), 'from line 1 on', 'jq -c .'],
    ['one number', '\n\n42\n', 'its only line is no JSON object, from line 3 on', ''],
  ])('says once of %s what the file must be, and exits 2', async (_, text, said, hint) => {
    const file = join(house.directory, 'no-lines.ndjson');
    writeFileSync(file, text);
    const { code, out, err } = await run(['decisions', 'report', file], reporterEnv());
    expect([code, out]).toEqual([2, '']);
    expect(err).toContain(`${file} is no file of decisions: `);
    expect(err).toContain(said);
    expect(err).toContain('It must be NDJSON: one JSON object a line');
    expect(err).toContain(hint);
    expect(err.trimEnd().split('\n')).toHaveLength(2);
  });

  it('with --json prints one object a line, the last of them the counts', async () => {
    const file = join(house.directory, 'as-json.ndjson');
    writeFileSync(file, `${JSON.stringify(chat('json-1'))}\nno JSON\n`);
    const { out } = await run(['decisions', 'report', file, '--json'], reporterEnv());
    expect(
      out
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toMatchObject([
      { line: 1, status: 'sealed', id: 'json-1' },
      { line: 2, status: 'refused' },
      { summary: { lines: 2, sealed: 1, known: 0, refused: 1 } },
    ]);
  });

  it('names twenty refused lines of a file of decisions, and says how many more there are', async () => {
    const file = join(house.directory, 'many-refused.ndjson');
    const wrong = Array.from({ length: 30 }, (_, i) => `wrong ${i}\n`).join('');
    writeFileSync(file, `${wrong}${JSON.stringify(chat('among-wrong'))}\n`);
    const { code, out } = await run(['decisions', 'report', file], reporterEnv());
    expect(code).toBe(1);
    expect(out.split('\n').filter((line) => line.startsWith(`${file}:`))).toHaveLength(20);
    expect(out).toContain(`${file}:20: invalid_argument`);
    expect(out).toContain('and 10 more lines refused; --json names each');
    expect(out).toContain('1 sealed as reported, 0 known before, 30 refused');
  });
});
