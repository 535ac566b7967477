/** A sidecar that tells of its holds, and one whose receiver is away: nothing waits for it and nothing is lost. */
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { Webhook } from 'standardwebhooks';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { HoldpointError } from '../../src/core/errors.ts';
import { startSidecar } from '../../src/sidecar.ts';
import { verifyDirectory } from '../../src/store/verify-directory.ts';
import { newDirectory, startReceiver } from '../notify/scene.ts';
import { listeningOn } from '../support/listening-on.ts';
import { parsePrometheus } from '../unit/telemetry/prometheus.ts';
import { run } from './support/process.ts';
import { eventually, type House, nextHold, startHouse, writeHouse } from './support/sidecar.ts';

const secret = `whsec_${Buffer.alloc(32, 9).toString('base64')}`;
const canary = 'canaryQ7x';
const entriesSchema = z.object({
  items: z.array(z.looseObject({ data: z.record(z.string(), z.unknown()) })),
});
const pageSchema = z.object({
  items: z.array(z.object({ id: z.string(), state: z.string(), queuedAt: z.string() })),
  next: z.string().nullable(),
});

let answer = 200;
let receiver: Awaited<ReturnType<typeof startReceiver>>;
let house: House;

beforeAll(async () => {
  receiver = await startReceiver(() => ({ status: answer }));
  const directory = newDirectory();
  writeFileSync(join(directory, 'secret'), `${secret}\n`);
  writeFileSync(join(directory, 'slack'), `${receiver.url}/slack\n`);
  house = await startHouse({
    settings: {
      notify: {
        consoleUrl: 'https://console.example.com/',
        giveUpAfterMs: 1_000,
        to: {
          oncall: {
            kind: 'webhook',
            url: receiver.url,
            secret: { file: join(directory, 'secret') },
            events: ['opened', 'ruled'],
          },
          desk: { kind: 'slack', url: { file: join(directory, 'slack') }, events: ['opened'] },
        },
      },
    },
  });
});
afterAll(async () => {
  await house.close();
  await receiver.close();
});

it.each(['nowhere', 'https://user:SECRET@hooks.example.com/x', 'SECRET'])(
  'a chat whose address is none (%s) is refused at the start, and not shown',
  async (url) => {
    const directory = newDirectory();
    const to = { desk: { kind: 'slack', url: { env: 'DESK' } } };
    const { configFile } = writeHouse(directory, 'http://127.0.0.1:1', { notify: { to } });
    const error = await refusalOf(startSidecar(configFile, { DESK: url }));
    expect(error.code).toBe('config_invalid');
    expect(error.message).toContain('notify.to.desk.url: what is in its place is no address');
    expect(`${error.message}${error.next}`).not.toContain('SECRET');
  },
);

async function refusalOf(
  starting: Promise<{ stop(reason: string): Promise<unknown> }>,
): Promise<HoldpointError> {
  try {
    const started = await starting;
    await started.stop('it was taken');
  } catch (error) {
    if (error instanceof HoldpointError) return error;
    throw error;
  }
  throw new Error('it was taken');
}

const cli = (...args: string[]) =>
  run(['notifications', ...args], {
    HOLDPOINT_URL: house.sidecar.controlUrl,
    HOLDPOINT_TOKEN: house.tokens.admin,
  });

async function release(): Promise<void> {
  const held = await nextHold(house);
  await house.call(`/api/v1/holds/${held.id}/rulings`, { json: { verdict: 'release', digest: held.digest } });
}

describe('a sidecar with receivers', () => {
  it('tells them of a hold and of its ruling, signed, and of nothing that was said', async () => {
    const asked = house.ask(`transfer 25000 EUR ${canary}`);
    await eventually(async () => receiver.got.length === 2);
    await release();
    expect((await asked).status).toBe(200);
    await eventually(async () => receiver.got.length === 3);
    const signed = receiver.got.filter(({ path }) => path === '/hook');
    const types = signed.map(({ headers, body }) => {
      const event = new Webhook(secret).verify(body, {
        'webhook-id': String(headers['webhook-id']),
        'webhook-timestamp': String(headers['webhook-timestamp']),
        'webhook-signature': String(headers['webhook-signature']),
      });
      return z.object({ type: z.string() }).parse(event).type;
    });
    expect(types).toEqual(['holdpoint.hold.opened', 'holdpoint.hold.ruled']);
    for (const { body } of receiver.got) {
      expect(body).not.toContain(canary);
      expect(body).not.toContain('25000');
      expect(body).not.toContain('transfer_funds');
    }
  });

  it('answers calls as ever while a receiver is away, and keeps the dead letter to be sent again', async () => {
    answer = 500;
    const asked = house.ask('transfer 1 EUR');
    await release();
    expect((await asked).status).toBe(200);
    const dead = await eventually(async () => {
      const page = pageSchema.parse((await house.call('/api/v1/notifications?state=dead')).json);
      return page.items.find(({ id }) => id.startsWith('oncall/') && id.endsWith('.opened'));
    });
    const page = parsePrometheus((await house.call('/metrics', { as: null })).text);
    expect(page.get('holdpoint_notifications_dead')?.samples[0]?.value).toBeGreaterThanOrEqual(1);
    const listed = await cli('list', '--state', 'dead');
    expect(listed.out).toContain(dead.id);
    expect(listed.out).toContain('answered 500');
    answer = 200;
    const before = receiver.got.length;
    expect((await cli('replay', dead.id)).out).toBe(`${dead.id} waits again\n`);
    await eventually(async () =>
      receiver.got.slice(before).some(({ headers }) => `oncall/${headers['webhook-id']}` === dead.id),
    );
    expect((await cli('replay', 'oncall/nothing')).code).toBe(2);
  });

  it('sends a test when an admin asks for one, and only then', async () => {
    const path = '/api/v1/notifications/test';
    expect((await house.call(path, { as: 'reviewer', json: { receiver: 'desk' } })).status).toBe(403);
    expect((await house.call(path, { as: 'admin', json: { receiver: 'nobody' } })).status).toBe(404);
    const before = receiver.got.length;
    expect((await cli('test', 'desk')).code).toBe(0);
    await eventually(async () =>
      receiver.got
        .slice(before)
        .some(({ path: to, body }) => to === '/hook/slack' && body.includes('A test')),
    );
  });

  it('has on the record which admin had what sent again, or a test sent, and nothing where nothing was', async () => {
    const { items } = entriesSchema.parse(
      (await house.call('/api/v1/ledger/entries?limit=1000', { as: 'auditor' })).json,
    );
    const sent = items.map(({ data }) => data).filter(({ notification }) => notification !== undefined);
    expect(sent).toEqual([
      {
        ...{ action: 'send again', by: 'admin-1', role: 'admin', from: '127.0.0.1' },
        notification: expect.stringMatching(/^oncall\/h-.*\.opened$/),
      },
      {
        ...{ action: 'send test', by: 'admin-1', role: 'admin', from: '127.0.0.1' },
        notification: expect.stringMatching(/^desk\/test\.[0-9a-f]{16}$/),
      },
    ]);
    expect((await verifyDirectory(house.dataDir, {})).findings).toEqual([]);
  });

  it('says how many messages each receiver took', async () => {
    const page = parsePrometheus((await house.call('/metrics', { as: null })).text);
    const sent = page.get('holdpoint_notifications_total')?.samples ?? [];
    const of = (labels: Record<string, string>) =>
      sent.find(
        (sample) =>
          sample.labels['receiver'] === labels['receiver'] && sample.labels['outcome'] === labels['outcome'],
      )?.value;
    expect(of({ receiver: 'oncall', outcome: 'sent' })).toBeGreaterThanOrEqual(2);
    expect(of({ receiver: 'desk', outcome: 'dropped' })).toBe(0);
  });

  it('shows what was told page by page, the newest first', async () => {
    const testPath = '/api/v1/notifications/test';
    for (let sent = 0; sent < 3; sent += 1)
      await house.call(testPath, { as: 'admin', json: { receiver: 'oncall' } });
    const all = pageSchema.parse((await house.call('/api/v1/notifications')).json);
    expect(all.next).toBeNull();
    const times = all.items.map(({ queuedAt }) => queuedAt);
    expect(times).toEqual(times.toSorted().reverse());
    const paged: string[] = [];
    let next: string | null = '';
    while (next !== null) {
      const before = next === '' ? '' : `&before=${encodeURIComponent(next)}`;
      const page = pageSchema.parse((await house.call(`/api/v1/notifications?limit=2${before}`)).json);
      expect(page.items.length).toBeLessThanOrEqual(2);
      paged.push(...page.items.map(({ id }) => id));
      next = page.next;
    }
    expect(paged).toEqual(all.items.map(({ id }) => id));
    expect(paged.length).toBeGreaterThan(4);
    expect((await house.call('/api/v1/notifications?before=oncall')).status).toBe(400);
  });
});

it('of all dead letters the command sends those again that have a receiver, and says which has none', async () => {
  const letter = { type: 'holdpoint.test', reason: 'answered 500', queuedAt: '2026-11-26T10:00:00.000Z' };
  const shown = (id: string, state: string) => ({ ...letter, id, state, receiver: id.split('/')[0] });
  const server = createServer(async (req, res) => {
    const send = (status: number, value: unknown) =>
      res.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
    if (req.method === 'GET') {
      const newestFirst = ['oncall/b', 'gone/a'];
      const items = newestFirst.map((id) => shown(id, 'dead'));
      send(200, { items, total: 2 });
    } else if ((await text(req)).includes('gone')) send(404, { code: 'not_found', detail: 'There is none.' });
    else send(202, shown('oncall/b', 'pending'));
  });
  const { url, close } = await listeningOn(server);
  const env = { HOLDPOINT_URL: url, HOLDPOINT_TOKEN: 'hp_x' };
  const said = await run(['notifications', 'replay', '--all'], env);
  const asJson = await run(['notifications', 'replay', '--all', '--json'], env);
  await close();
  expect(said).toMatchObject({
    out: 'gone/a is not sent again: There is none.\noncall/b waits again\n',
    code: 1,
  });
  expect(JSON.parse(asJson.out)).toMatchObject({ items: [{ id: 'oncall/b', state: 'pending' }] });
  expect(asJson.code).toBe(1);
});

describe('a receiver that cannot be told', () => {
  it.each([
    [
      'a webhook secret that is none',
      { kind: 'webhook', url: 'https://x.example', secret: { env: 'NOTHING' } },
      /notify\.to\.oncall\.secret/,
    ],
    [
      'a password in the clear',
      {
        kind: 'email',
        host: 'mail',
        tls: 'none',
        user: 'u',
        password: { env: 'P' },
        from: 'a@b.example',
        to: ['c@d.example'],
      },
      /expected tls/,
    ],
    [
      'a secret in the file itself',
      { kind: 'slack', url: 'https://hooks.slack.example/T0/B0/x' },
      /notify\.to\.oncall\.url/,
    ],
  ])('stops the start: %s', async (_, oncall, said) => {
    await expect(startHouse({ settings: { notify: { to: { oncall } } } })).rejects.toThrow(said);
  });
});
