/** What was said stays in the sealed bodies: not in metrics, not in the log, not in the token file, not in a leaf. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { systemRandom } from '../../src/core/clock.ts';
import { startDemoProvider } from '../../src/demo/provider.ts';
import { addToken } from '../../src/store/token-file.ts';
import { mainFile } from './support/process.ts';
import {
  eventually,
  nextHold,
  policyText,
  readText,
  startHouse,
  tools,
  writeHouse,
} from './support/sidecar.ts';

const canary = 'canaryQ7x';

describe('a canary in everything a caller and a reviewer say', () => {
  it('is found in no log line, no metric, no token file and no entry', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'holdpoint-canary-'));
    const provider = await startDemoProvider({ port: 0 });
    const { configFile, dataDir } = writeHouse(directory, provider.url, { log: { level: 'debug' } });
    const child = spawn(process.execPath, [mainFile, 'run', '--config', configFile]);
    let out = '';
    let log = '';
    let released = '';
    child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (log += chunk.toString()));
    const exited = once(child, 'close');
    try {
      const urlOf = (name: string) =>
        eventually(async () => new RegExp(`^${name} listening on (\\S+)$`, 'm').exec(out)?.[1]);
      const [proxy, control] = [await urlOf('proxy'), await urlOf('control')];
      const token = addToken(
        join(dataDir, 'tokens.json'),
        { name: 'ada', role: 'admin' },
        Date.now(),
        systemRandom,
      );
      const reviewer = addToken(
        join(dataDir, 'tokens.json'),
        { name: 'bo', role: 'reviewer' },
        Date.now(),
        systemRandom,
      );
      const say = (body: string, path = '/v1/chat/completions') =>
        fetch(`${proxy}${path}`, {
          method: 'POST',
          headers: {
            'content-type': 'application/json',
            authorization: `Bearer sk-${canary}`,
            'holdpoint-subject': `${canary}@example.com`,
          },
          body,
        });
      const asking = (content: string) =>
        JSON.stringify({ model: 'm', messages: [{ role: 'user', content }], tools });
      const read = async (path: string, init: RequestInit = {}) => {
        const response = await fetch(`${control}${path}`, {
          ...init,
          headers: { authorization: `Bearer ${token}`, ...init.headers },
        });
        return { status: response.status, text: await response.text() };
      };

      // The provider repeats the last word it was asked about, so the canary is in the answer too.
      expect(await (await say(asking(`tell me of ${canary.toLowerCase()}`))).text()).toContain('canary');
      await say(`{"model": "m", "broken": "${canary}`);
      await say(`${canary}=1`, `/v1/files?key=${canary}`);
      const held = say(asking(`transfer 5 EUR for ${canary}`));
      const queue = await eventually(async () => {
        const { text } = await read('/api/v1/holds?state=pending');
        return text.includes('"id"') ? text : null;
      });
      const [, id, digest] = /"id":"(h-[^"]+)".*?"digest":"([0-9a-f]{64})"/.exec(queue) ?? [];
      const rule = (body: string) =>
        read(`/api/v1/holds/${id}/rulings`, {
          method: 'POST',
          headers: { 'content-type': 'application/json', authorization: `Bearer ${reviewer}` },
          body,
        });
      expect((await rule(`{"verdict": ${canary}`)).status).toBe(400);
      expect(
        (await rule(JSON.stringify({ verdict: 'release', digest, reason: canary, [canary]: 1 }))).status,
      ).toBe(400);
      expect((await rule(JSON.stringify({ verdict: 'release', digest, reason: canary }))).status).toBe(201);
      const answer = await held;
      expect(await answer.text()).not.toBe('');
      released = answer.headers.get('holdpoint-decision') ?? '';
      await read(`/${canary}`);
      await read(`/api/v1/holds?state=${canary}`);
      await read('/api/v1/whoami', { headers: { authorization: `Bearer ${canary}${canary}` } });

      const metrics = (await read('/metrics')).text;
      expect(metrics).toContain('holdpoint_calls_total');
      const entries = (await read('/api/v1/ledger/entries?limit=1000')).text;
      expect(entries).toContain('"type":"ruling"');
      for (const text of [metrics, entries, readText(join(dataDir, 'tokens.json'))])
        expect(text.toLowerCase()).not.toContain(canary.toLowerCase());
      expect(metrics).not.toContain('sk-');
    } finally {
      child.kill('SIGTERM');
      await exited;
      await provider.close();
      rmSync(directory, { recursive: true, force: true });
    }
    const lines = log.split('\n').filter((line) => line !== '' && !line.startsWith('('));
    expect(lines.length).toBeGreaterThan(2);
    for (const line of lines)
      expect(JSON.parse(line)).toMatchObject({ level: expect.any(Number), msg: expect.any(String) });
    expect(lines.map((line): unknown => JSON.parse(line))).toContainEqual(
      expect.objectContaining({
        msg: 'call ended',
        decision: released,
        operation: 'chat.completions',
        status: 200,
        ms: expect.any(Number),
      }),
    );
    expect(`${out}${log}`.toLowerCase()).not.toContain(canary.toLowerCase());
  });
});

describe('a rule that fails on a value', () => {
  it('holds and says that it failed, without the value', async () => {
    const failing = policyText
      .replace('c.name == "transfer_funds"', 'c.name == "transfer_funds" && num(c.arguments.currency) > 1.0')
      .replace(
        /tests:\n {6}- \{ name: hit[^\n]+\n/,
        'tests:\n      - { name: hit, expect: match, response: { toolCalls: [{ name: transfer_funds, arguments: { currency: 2 } }] } }\n',
      );
    const house = await startHouse();
    try {
      writeFileSync(house.policyFile, failing);
      await house.sidecar.reloadPolicy();
      const asked = house.ask('transfer 5 EUR');
      const held = await nextHold(house);
      const shown = await house.call(`/api/v1/holds/${held.id}`, { as: 'viewer' });
      expect(shown.json).toMatchObject({
        rules: [{ error: 'num() takes a number or a plain decimal text, not' }],
      });
      expect((await house.call('/api/v1/ledger/entries?limit=100', { as: 'auditor' })).text).not.toContain(
        'EUR',
      );
      await house.call(`/api/v1/holds/${held.id}/rulings`, {
        json: { verdict: 'release', digest: held.digest },
      });
      await asked;
    } finally {
      await house.close();
    }
  });
});
