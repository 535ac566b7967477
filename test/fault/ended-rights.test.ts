/** A right that ends while a ruling under it is on its way, a token's, a key's or a delegation's: what is sealed verifies, in any order. */
import { expect, it } from 'vitest';
import { HoldpointError } from '../../src/core/errors.ts';
import { chatRequest } from '../proxy/answers.ts';
import { ada, stage } from './ruling-stage.ts';

it('a key does not count once its withdrawal is sealed, although the ruling was checked before', async () => {
  const { rule, withdraw, comment, isCommitting, letCommits, hold, findings } = await stage();
  const said = comment();
  await isCommitting();
  // Checked now, and sealed when the comment is.
  const ruled = rule();
  const withdrawn = withdraw();
  letCommits();
  await expect(ruled).rejects.toMatchObject({ code: 'signature_invalid' });
  await Promise.all([said, withdrawn]);
  expect(hold.state.status).toBe('pending');
  expect(await findings()).toEqual([]);
});

it('a key counts in a ruling that is sealed before its withdrawal is', async () => {
  const { rule, withdraw, isCommitting, letCommits, hold, findings } = await stage();
  const ruled = rule();
  await isCommitting();
  const withdrawn = withdraw();
  letCommits();
  await Promise.all([ruled, withdrawn]);
  expect(hold.state.status).toBe('released');
  expect(await findings()).toEqual([]);
});

it('a release does not count once the policy that it was judged by is in force no more', async () => {
  const { rule, changePolicy, comment, isCommitting, letCommits, hold, findings } = await stage();
  const said = comment();
  await isCommitting();
  const ruled = rule();
  changePolicy();
  letCommits();
  await expect(ruled).rejects.toMatchObject({ code: 'policy_changed' });
  await said;
  expect(hold.state.status).toBe('pending');
  expect(await findings()).toEqual([]);
});

it('an amendment does not count once the policy that it was judged by is in force no more', async () => {
  const { amend, changePolicy, comment, isCommitting, letCommits, hold, findings } = await stage();
  const said = comment();
  await isCommitting();
  const amended = amend(ada, { body: JSON.parse(chatRequest()) }).catch((error: unknown) => error);
  changePolicy();
  letCommits();
  expect(await amended).toMatchObject({ code: 'policy_changed' });
  await said;
  expect(hold.state.status).toBe('pending');
  expect(await findings()).toEqual([]);
});

it('a denial counts whatever policy came meanwhile', async () => {
  const { deny, changePolicy, comment, isCommitting, letCommits, hold, findings } = await stage();
  const said = comment();
  await isCommitting();
  const denied = deny();
  changePolicy();
  letCommits();
  await Promise.all([said, denied]);
  expect(hold.state.status).toBe('denied');
  expect(await findings()).toEqual([]);
});

it('an amendment by a role that the hold does not name is not looked at', async () => {
  const { amend, letCommits, hold, findings } = await stage();
  letCommits();
  const amended = amend({ name: 'olga', role: 'auditor' }, { text: 'Of a request it is none.' });
  await expect(amended).rejects.toMatchObject({ code: 'forbidden' });
  expect(hold.state.status).toBe('pending');
  expect(await findings()).toEqual([]);
});

it('a role that was lent does not count once it rules no more', async () => {
  const { ruleInStead, takeRule, letCommits, hold, findings } = await stage();
  letCommits();
  takeRule();
  await expect(ruleInStead()).rejects.toMatchObject({ code: 'forbidden' });
  expect(hold.state.status).toBe('pending');
  expect(await findings()).toEqual([]);
});

it('a role that the hold names for it breaks no glass once it rules no more', async () => {
  const { breakGlass, takeRule, letCommits, hold, findings } = await stage();
  letCommits();
  takeRule();
  await expect(breakGlass()).rejects.toMatchObject({ code: 'forbidden' });
  expect(hold.state.status).toBe('pending');
  expect(await findings()).toEqual([]);
});

it('a delegation does not count once its end is sealed, although the ruling was checked before', async () => {
  const { ruleInStead, endDelegation, comment, isCommitting, letCommits, hold, findings } = await stage();
  const said = comment();
  await isCommitting();
  const ruled = ruleInStead().catch((error: unknown) => error);
  const ended = endDelegation();
  letCommits();
  expect(await ruled).toMatchObject({ code: 'forbidden' });
  await Promise.all([said, ended]);
  expect(hold.state.status).toBe('pending');
  expect(await findings()).toEqual([]);
});

it('a delegation counts in a ruling that is sealed before its end is', async () => {
  const { ruleInStead, endDelegation, isCommitting, letCommits, hold, findings } = await stage();
  const ruled = ruleInStead();
  await isCommitting();
  const ended = endDelegation();
  letCommits();
  await Promise.all([ruled, ended]);
  expect(hold.state.status).toBe('released');
  expect(await findings()).toEqual([]);
});

it('a token does not count once it ended, although the ruling was checked before', async () => {
  const { rule, comment, isCommitting, letCommits, hold, findings } = await stage();
  const said = comment();
  await isCommitting();
  let hasEnded = false;
  const ruled = rule(() => {
    if (hasEnded)
      throw new HoldpointError('unauthenticated', 'The right to ask for this has ended meanwhile.');
  }).catch((error: unknown) => error);
  hasEnded = true;
  letCommits();
  expect(await ruled).toMatchObject({ code: 'unauthenticated' });
  await said;
  expect(hold.state.status).toBe('pending');
  expect(await findings()).toEqual([]);
});

it.each([290_000, -290_000])('a key counts in a ruling that was signed %i ms from now', async (apart) => {
  const { rule, letCommits, setClock, hold, findings } = await stage();
  letCommits();
  setClock(apart);
  await rule();
  expect(hold.state.status).toBe('released');
  expect(await findings()).toEqual([]);
});

it.each([310_000, -310_000])('a ruling that was signed %i ms from now is refused', async (apart) => {
  const { rule, letCommits, setClock, hold, findings } = await stage();
  letCommits();
  setClock(apart);
  await expect(rule()).rejects.toMatchObject({ code: 'signature_invalid' });
  expect(hold.state.status).toBe('pending');
  expect(await findings()).toEqual([]);
});

it('a key that was withdrawn in an earlier run does not count', async () => {
  const { rule, withdraw, forget, letCommits, hold, findings } = await stage();
  letCommits();
  await withdraw();
  forget();
  await expect(rule()).rejects.toMatchObject({ code: 'signature_invalid' });
  expect(hold.state.status).toBe('pending');
  expect(await findings()).toEqual([]);
});
