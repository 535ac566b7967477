/** Both clients against a real sidecar: made from its description, and doing a reviewer's work. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { callHeaders, createClient, RefusedError } from '../../src/client/index.ts';
import { type Description, descriptionSchema } from '../contract/support/described.ts';
import { type House, nextHold, readText, startHouse } from '../contract/support/sidecar.ts';
import { pythonPath } from '../support/python.ts';
import { pythonFile, pythonOf, typescriptFile, typescriptOf } from './generate.ts';

let house: House;
let description: Description;
beforeAll(async () => {
  house = await startHouse();
  description = descriptionSchema.parse((await house.call('/openapi.json', { as: null })).json);
});
afterAll(() => house.close());

const clientPath = fileURLToPath(new URL('../../src/client/python', import.meta.url));

async function python(script: string, ...args: string[]): Promise<string> {
  const child = spawn(
    pythonPath,
    ['-I', '-B', '-c', `import sys; sys.path.insert(0, ${JSON.stringify(clientPath)})\n${script}`, ...args],
    {
      env: { PATH: process.env['PATH'] ?? '', PYTHONDONTWRITEBYTECODE: '1' },
    },
  );
  let out = '';
  let err = '';
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
  await once(child, 'close');
  expect(err).toBe('');
  return out.trim();
}

const clientOf = (role: 'reviewer' | 'viewer' | 'auditor') =>
  createClient({ url: house.sidecar.controlUrl, token: house.tokens[role] });

describe('what is made from the description', () => {
  it('is what stands in the TypeScript client', () => {
    expect(readText(fileURLToPath(typescriptFile))).toBe(typescriptOf(description));
  });
  it('is what stands in the Python client', () => {
    expect(readText(fileURLToPath(pythonFile))).toBe(pythonOf(description));
  });
  it('has every operation but streams, pages and binary tiles', () => {
    const described = Object.values(description.paths).flatMap((path) =>
      Object.values(path).map(({ operationId }) => operationId),
    );
    const left = ['console', 'readTile', 'readEntryBundle'];
    expect(Object.keys(clientOf('viewer')).sort()).toEqual(
      described.filter((id) => !left.includes(id)).sort(),
    );
  });
});

describe('the TypeScript client', () => {
  it('sees a hold appear, reads it, releases it, and finds the decision', async () => {
    const client = clientOf('reviewer');
    const stop = new AbortController();
    const events = client.events(stop.signal);
    const first = events.next();
    const asked = house.ask('transfer 5 EUR', {
      headers: callHeaders({ workload: 'agent-7', session: 's1' }),
    });
    const event = await first;
    expect(event.value).toMatchObject({ kind: 'opened', state: 'pending' });
    const { items } = await client.listHolds({ state: 'pending' });
    const [listed] = items;
    const hold = await client.showHold({ id: listed?.id ?? '' });
    expect(hold.exchange?.response?.toolCalls[0]?.name).toBe('transfer_funds');
    expect([hold.workload, hold.session]).toEqual(['agent-7', 's1']);
    const ruled = await client.ruleOnHold({
      id: hold.id,
      body: { verdict: 'release', reason: 'checked', digest: hold.digest },
    });
    expect(ruled.state).toBe('released');
    expect((await asked).status).toBe(200);
    const { items: decisions } = await client.listDecisions({ limit: 1 });
    expect(decisions[0]?.id).toBe(hold.decisionId);
    expect((await events.next()).value).toMatchObject({ kind: 'ruled', id: hold.id, state: 'released' });
    stop.abort();
    const drain = async (): Promise<void> => {
      for await (const _ of events);
    };
    await expect(drain()).rejects.toThrow(/abort/);
  });

  it('rejects with the refusal’s code and next step', async () => {
    const refused = clientOf('viewer').listEntries();
    await expect(refused).rejects.toBeInstanceOf(RefusedError);
    await expect(refused).rejects.toMatchObject({ status: 403, code: 'forbidden' });
    await expect(clientOf('viewer').showHold({ id: '..' })).rejects.toThrow(/id must name something/);
  });

  it('takes its token nowhere else', async () => {
    const reached: string[] = [];
    const other = createServer((req, res) => {
      reached.push(req.url ?? '');
      res.writeHead(302, { location: '/elsewhere' }).end();
    });
    other.listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    const url = `http://127.0.0.1:${port}`;
    await expect(createClient({ url, token: 'hp_secret' }).whoami()).rejects.toThrow();
    const said = await python(
      'from holdpoint import Client, Refused\ntry: Client(sys.argv[1], "hp_secret").whoami()\nexcept Refused as e: print(e.status, e.code)',
      url,
    );
    expect(said).toBe('302 not_holdpoint');
    expect(reached).toEqual(['/api/v1/whoami', '/api/v1/whoami']);
    other.close();
  });
});

/** Something that is no sidecar, for as long as `use` takes. */
async function withOther(answer: RequestListener, use: (url: string) => Promise<void>): Promise<void> {
  const other = createServer(answer);
  other.listen(0, '127.0.0.1');
  await once(other, 'listening');
  const { port } = other.address() as AddressInfo;
  try {
    await use(`http://127.0.0.1:${port}`);
  } finally {
    other.closeAllConnections();
    other.close();
  }
}

describe('a client of either language', () => {
  it('takes a page that something in between answers with for no sidecar, whatever its status', async () => {
    const page: RequestListener = (_, res) =>
      res.writeHead(200, { 'content-type': 'text/html' }).end('<h1>Please sign in to the network</h1>');
    await withOther(page, async (url) => {
      const client = createClient({ url, token: 'hp_x' });
      const refused = { status: 200, code: 'not_holdpoint' };
      await expect(client.whoami()).rejects.toMatchObject(refused);
      await expect(client.reportDecisions({ body: [] })).rejects.toMatchObject(refused);
      await expect(client.events(new AbortController().signal).next()).rejects.toMatchObject(refused);
      const script = `from holdpoint import Client, Refused
client = Client(sys.argv[1], "hp_x")
for call in (client.whoami, lambda: client.report_decisions([])):
    try: call()
    except Refused as e: print(e.status, e.code)`;
      expect(await python(script, url)).toBe('200 not_holdpoint\n200 not_holdpoint');
    });
  });

  it('reads any number of events that come at once', async () => {
    const event = (id: number) =>
      `id: ${id}\nevent: hold.ruled\ndata: ${JSON.stringify({ id: `h-${id}` })}\n\n`;
    const count = 5_000;
    const burst: RequestListener = (_, res) =>
      res
        .writeHead(200, { 'content-type': 'text/event-stream' })
        .end(Array.from({ length: count }, (_, id) => event(id)).join(''));
    await withOther(burst, async (url) => {
      const seen: string[] = [];
      for await (const { id } of createClient({ url, token: 'hp_x' }).events(new AbortController().signal))
        seen.push(id);
      expect([seen.length, seen.at(-1)]).toEqual([count, `h-${count - 1}`]);
    });
  });
});

describe('the Python client', () => {
  it('sends its token past no proxy that the environment names', async () => {
    const seen: string[] = [];
    const proxy: RequestListener = (req, res) => {
      seen.push(`${req.url} ${req.headers.authorization}`);
      res.writeHead(502).end();
    };
    await withOther(proxy, async (url) => {
      const script = `import os
os.environ["http_proxy"] = os.environ["HTTP_PROXY"] = sys.argv[2]
from holdpoint import Client
print(Client(sys.argv[1], sys.argv[3]).whoami()["name"])`;
      expect(await python(script, house.sidecar.controlUrl, url, house.tokens.viewer)).toBe('viewer-1');
      expect(seen).toEqual([]);
    });
  });

  it('sees a hold appear, reads it, releases it, and finds the decision', async () => {
    const script = `
from holdpoint import Client
client = Client(sys.argv[1], sys.argv[2])
hold = client.list_holds(state="pending", limit=1)["items"][0]
shown = client.show_hold(hold["id"])
ruled = client.rule_on_hold(hold["id"], {"verdict": "release", "reason": "checked", "digest": hold["digest"]})
print(shown["exchange"]["response"]["toolCalls"][0]["name"], ruled["state"], client.show_decision(hold["decisionId"])["id"])
print(client.read_checkpoint is not None, client.whoami()["name"])`;
    const asked = house.ask('transfer 6 EUR');
    const held = await nextHold(house);
    const out = await python(script, house.sidecar.controlUrl, house.tokens.reviewer);
    expect(out).toBe(`transfer_funds released ${held.decisionId}\nTrue reviewer-1`);
    expect((await asked).status).toBe(200);
  });

  it('reads events as they come', async () => {
    const script = `
from holdpoint import Client
import threading, time
events = Client(sys.argv[1], sys.argv[2]).events()
print(next(events)["kind"])`;
    const read = python(script, house.sidecar.controlUrl, house.tokens.viewer);
    // Calls are held until the reader has seen one: when it connects is its own matter.
    let isRead = false;
    const done = read.finally(() => {
      isRead = true;
    });
    while (!isRead) {
      const asked = house.ask('transfer 7 EUR');
      const held = await nextHold(house);
      await house.call(`/api/v1/holds/${held.id}/rulings`, {
        json: { verdict: 'release', digest: held.digest },
      });
      await asked;
    }
    expect(await done).toMatch(/^(opened|ruled|settled|caller)$/);
  });

  it('raises what was refused', async () => {
    const script = `
from holdpoint import Client, Refused, call_headers
print(call_headers(workload="w", purpose="p"))
try: Client(sys.argv[1], sys.argv[2]).list_entries(from_=0)
except Refused as e: print(e.status, e.code, e.next)`;
    expect(await python(script, house.sidecar.controlUrl, house.tokens.viewer)).toBe(
      "{'holdpoint-workload': 'w', 'holdpoint-purpose': 'p'}\n403 forbidden Use a token with one of the roles: auditor, admin.",
    );
  });
});
