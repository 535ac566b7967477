/** Sessions of the console: how they begin and end, and what a thief or another site's page makes of them. */
import { readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { systemRandom } from '../../src/core/clock.ts';
import type { Role } from '../../src/core/roles.ts';
import { addToken } from '../../src/store/token-file.ts';
import { accessOf } from './support/access.ts';
import { type ConsolePage, openPage, type PageInit } from './support/page.ts';
import { eventually, type House, nextHold, startHouse } from './support/sidecar.ts';

let house: House;
let base: string;
beforeAll(async () => {
  house = await startHouse();
  base = house.sidecar.controlUrl;
});
afterAll(() => house.close());

let made = 0;
function newToken(role: Role): { name: string; token: string } {
  made += 1;
  const name = `person-${made}`;
  const file = join(house.dataDir, 'tokens.json');
  return { name, token: addToken(file, { name, role }, Date.now(), systemRandom) };
}

async function signedIn(role: Role = 'reviewer'): Promise<ConsolePage> {
  const page = openPage(base);
  expect((await page.signIn(newToken(role).token)).status).toBe(201);
  return page;
}

const whoami = '/api/v1/whoami';
describe('a token exchanged for a session', () => {
  it('gives a cookie that scripts cannot read and other sites do not send', async () => {
    const page = await signedIn();
    const port = new URL(base).port;
    expect(page.setCookies).toEqual([
      expect.stringMatching(
        new RegExp(`^holdpoint-session-${port}=[A-Za-z0-9_-]{43}; Path=/; HttpOnly; SameSite=Strict$`),
      ),
    ]);
  });

  it('lets the page do what the token may', async () => {
    const { name, token } = newToken('auditor');
    const page = openPage(base);
    await page.signIn(token);
    expect((await page.send(whoami)).json).toMatchObject({ name, role: 'auditor' });
    expect((await page.send('/api/v1/ledger/entries')).status).toBe(200);
  });

  it('is sealed before the cookie is there: who, as what, by what means, from where', async () => {
    const { name, token } = newToken('viewer');
    await openPage(base).signIn(token);
    await expect
      .poll(() => accessOf(house), { timeout: 10_000 })
      .toContainEqual({
        action: 'sign in',
        by: name,
        from: '127.0.0.1',
        grant: '',
        role: 'viewer',
        via: 'token',
      });
  });

  it('is refused for a token that is not known, and that is sealed', async () => {
    const answer = await openPage(base).signIn(`hp_${'z'.repeat(43)}`);
    expect(answer.status).toBe(401);
    expect(answer.headers['set-cookie']).toBeUndefined();
    await expect
      .poll(() => accessOf(house), { timeout: 10_000 })
      .toContainEqual(
        expect.objectContaining({ action: 'refused', operation: 'signInByToken', code: 'unauthenticated' }),
      );
  });

  it('rules on a hold under the name of the person', async () => {
    const asked = house.ask('transfer 100 EUR');
    const held = await nextHold(house);
    const page = await signedIn();
    const ruled = await page.send(`/api/v1/holds/${held.id}/rulings`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ verdict: 'release', digest: held.digest }),
    });
    expect(ruled.status).toBe(201);
    expect((await asked).status).toBe(200);
  });

  it('is over once the token was taken out of the file', async () => {
    const { name, token } = newToken('reviewer');
    const page = openPage(base);
    await page.signIn(token);
    const file = join(house.dataDir, 'tokens.json');
    const tokens = z
      .looseObject({ tokens: z.array(z.looseObject({ name: z.string() })) })
      .parse(JSON.parse(readFileSync(file, 'utf8')));
    writeFileSync(
      file,
      JSON.stringify({ ...tokens, tokens: tokens.tokens.filter((one) => one.name !== name) }),
    );
    expect((await page.send(whoami)).status).toBe(401);
  });
});

describe('a session', () => {
  it('has a new id at every sign-in, and the one before is worth nothing', async () => {
    const page = await signedIn();
    const before = page.copy();
    await page.signIn(newToken('reviewer').token);
    expect([...page.cookies.values()]).not.toEqual([...before.cookies.values()]);
    expect((await before.send(whoami)).status).toBe(401);
    expect((await page.send(whoami)).status).toBe(200);
  });

  it('never has an id that somebody else chose', async () => {
    const chosen = 'f'.repeat(43);
    const port = new URL(base).port;
    const page = openPage(base, { cookies: new Map([[`holdpoint-session-${port}`, chosen]]) });
    await page.signIn(newToken('reviewer').token);
    expect(page.cookies.get(`holdpoint-session-${port}`)).not.toBe(chosen);
    const fixed = openPage(base, {
      cookies: new Map([[`holdpoint-session-${port}`, chosen]]),
      key: page.key,
    });
    expect((await fixed.send(whoami)).status).toBe(401);
  });

  it('is worth nothing to a thief once its owner signed out', async () => {
    const page = await signedIn();
    const thief = page.copy();
    expect((await thief.send(whoami)).status).toBe(200);
    expect((await page.send('/sign-out', { method: 'POST' })).status).toBe(200);
    expect((await thief.send(whoami)).status).toBe(401);
    expect(page.cookies.size).toBe(0);
    await expect
      .poll(() => accessOf(house), { timeout: 10_000 })
      .toContainEqual(expect.objectContaining({ action: 'sign out', via: 'token' }));
  });

  it('takes its open streams along when it ends', async () => {
    const page = await signedIn();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const cookie = [...page.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const opened = Promise.withResolvers<void>();
    request(`${base}/api/v1/events`, { headers: { cookie, 'holdpoint-session-key': page.key } }, (answer) => {
      answer.once('data', () => opened.resolve());
      answer.once('close', resolve);
      answer.on('error', () => undefined);
    })
      .once('error', reject)
      .end();
    await opened.promise;
    await page.send('/sign-out', { method: 'POST' });
    await promise;
  });

  it('is one of at most twenty that a person has', async () => {
    const { token } = newToken('reviewer');
    const pages = Array.from({ length: 21 }, () => openPage(base));
    for (const page of pages) await page.signIn(token);
    const statuses = await Promise.all(pages.map(async (page) => (await page.send(whoami)).status));
    expect(statuses).toEqual([401, ...Array.from({ length: 20 }, () => 200)]);
  });

  it('does not outlive the sidecar', async () => {
    const other = await startHouse();
    const page = openPage(other.sidecar.controlUrl);
    await page.signIn(other.tokens.reviewer);
    await other.close();
    const again = openPage(base, { cookies: page.cookies, key: page.key });
    expect((await again.send(whoami)).status).toBe(401);
  });
});

describe('a session’s cookie alone', () => {
  const order = (init: PageInit): PageInit => ({
    method: 'POST',
    body: '{}',
    ...init,
    headers: { 'content-type': 'application/json', ...init.headers },
  });
  it.each([
    ['without the page’s key', { headers: { 'holdpoint-session-key': null } }, 403],
    ['with the key of another page', { headers: { 'holdpoint-session-key': 'k'.repeat(43) } }, 401],
    [
      'from another site',
      { headers: { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' } },
      403,
    ],
    [
      'from another port of this host',
      { headers: { origin: 'http://127.0.0.1:1', 'sec-fetch-site': 'same-site' } },
      403,
    ],
    [
      'from a sibling, its Origin stripped',
      { headers: { origin: null, 'sec-fetch-site': 'same-site' } },
      403,
    ],
    ['from who knows where', { headers: { origin: null, 'sec-fetch-site': null } }, 403],
    ['with the scheme of another', { headers: { origin: 'https://HOST' } }, 403],
  ])('changes nothing %s', async (_, init, status) => {
    const page = await signedIn('admin');
    const headers = Object.fromEntries(
      Object.entries(init.headers).map(([name, value]) => [
        name,
        value === null ? null : value.replace('HOST', new URL(base).host),
      ]),
    );
    const answer = await page.send('/api/v1/legal-holds', order({ headers }));
    expect(answer.status).toBe(status);
  });

  it('is not begun by a page that came over TLS to a port without, which is told the setting for that', async () => {
    const origin = base.replace('http:', 'https:');
    const answer = await openPage(base).send('/sign-in/token', {
      method: 'POST',
      headers: { origin, authorization: `Bearer ${newToken('viewer').token}` },
    });
    expect(answer.status).toBe(403);
    expect(answer.text).toContain('set control.publicUrl');
  });

  it.each(['navigate', 'no-cors'])('reads nothing when another page makes the browser %s', async (mode) => {
    const page = await signedIn();
    const answer = await page.send('/api/v1/holds', {
      headers: { 'holdpoint-session-key': null, 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': mode },
    });
    expect(answer.status).toBe(403);
  });

  it('is not read where there are two of its name', async () => {
    const page = await signedIn();
    const [[name, value] = ['', '']] = [...page.cookies];
    const answer = await page.send(whoami, { headers: { cookie: `${name}=${value}; ${name}=${value}` } });
    expect(answer.status).toBe(401);
  });

  it('counts for nothing beside a token that is wrong', async () => {
    const page = await signedIn();
    const answer = await page.send(whoami, { headers: { authorization: `Bearer hp_${'q'.repeat(43)}` } });
    expect(answer.status).toBe(401);
  });
});

describe('guessing', () => {
  it('tokens at the sign-in gets 429, while a known token still passes', async () => {
    const other = await startHouse();
    try {
      const page = openPage(other.sidecar.controlUrl);
      const last = await eventually(async () => {
        const answer = await page.signIn(`hp_${'g'.repeat(43)}`);
        return answer.status === 429 ? answer : null;
      });
      expect(last.headers['retry-after']).toBe('60');
      expect((await page.signIn(other.tokens.reviewer)).status).toBe(201);
    } finally {
      await other.close();
    }
  });
});
