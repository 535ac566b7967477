/** Whom credentials show at one moment, asked without waiting: what is sealed in the same step stands under that right. */
import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { expect, it } from 'vitest';
import { type Credentials, createAuthenticator, refuseTokenInUrl } from '../../../src/control/auth.ts';
import { tokenHash } from '../../../src/store/token-file.ts';
import { createManualTime } from '../../support/time.ts';

const ada = { name: 'ada', role: 'reviewer' };
const bot = { name: 'kubernetes:system:serviceaccount:ops:bot', role: 'reviewer' };
const token = `hp_${'a'.repeat(43)}`;

function asking(headers: Record<string, string>): IncomingMessage {
  const req = new IncomingMessage(new Socket());
  Object.assign(req.headers, headers);
  return req;
}

function stage() {
  const known = new Set([tokenHash(token)]);
  let certificate: typeof ada | null | undefined = ada;
  const standing = (hash: string) => (known.has(hash) ? ada : null);
  const credentials: Credentials = {
    token: async (hash) => standing(hash),
    standing,
    serviceAccount: async () => bot,
    session: () => undefined,
    certificate: async () => certificate,
    certificateNow: () => certificate ?? null,
  };
  const authenticate = createAuthenticator(credentials, createManualTime().clock);
  return {
    comes: (headers: Record<string, string>) => authenticate(asking(headers), () => undefined),
    revoke: () => known.clear(),
    endCertificate: () => {
      certificate = null;
    },
    leaveCertificateAway: () => {
      certificate = undefined;
    },
  };
}

it('a token shows nobody from the moment that it is revoked, whatever it was let in as', async () => {
  const { comes, revoke } = stage();
  const { caller, now } = await comes({ authorization: `bearer ${token}` });
  expect([caller, now()]).toEqual([ada, ada]);
  revoke();
  expect(now()).toBeNull();
});

it('a certificate shows nobody from the moment that it counts no more', async () => {
  const { comes, endCertificate } = stage();
  const { now } = await comes({});
  expect(now()).toEqual(ada);
  endCertificate();
  expect(now()).toBeNull();
});

it('a service account shows whom the cluster said last', async () => {
  const { comes } = stage();
  expect((await comes({ authorization: 'Bearer a.b.c' })).now()).toEqual(bot);
});

it('who shows nothing has guessed nothing, and is told so however often they come', async () => {
  const { comes, leaveCertificateAway } = stage();
  leaveCertificateAway();
  for (let i = 0; i < 25; i += 1)
    await expect(comes({})).rejects.toThrow('The token is missing or not known.');
  await expect(comes({ authorization: 'Bearer of nobody' })).rejects.toMatchObject({
    code: 'unauthenticated',
  });
});

it('the state of a sign-in may begin as a token does', () => {
  const state = (characters: number) => new URLSearchParams({ state: `hp_${'a'.repeat(characters - 3)}` });
  expect(() => refuseTokenInUrl(state(43))).not.toThrow();
  expect(() => refuseTokenInUrl(state(46))).toThrow('A token does not belong in a URL.');
});
