/** Real processes killed beside the boundary at which one signing key hands over to the next. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { endAll } from '../support/endings.ts';
import { chat, type KeyHouse, openKeyHouse } from './key-house.ts';

let house: KeyHouse;
beforeEach(async () => {
  house = await openKeyHouse();
});
afterEach(endAll);

test.each(['before', 'after'])(
  'a crash %s the boundary was durable, with both keys on disk, is gone on from',
  async (when) => {
    const signing = join(house.place.dataDir, 'keys', 'signing.pem');
    const first = await house.spawn();
    const old = readFileSync(signing);
    await house.change(first, 'rotate');
    await first.kill('SIGKILL');
    const fresh = readFileSync(signing);
    const next = join(house.place.dataDir, 'keys', 'signing.next.pem');
    if (when === 'after') {
      // As it lay there when the boundary was on disk and the new key had not taken the old one's house.place.
      writeFileSync(signing, old);
      writeFileSync(next, fresh);
    } else {
      // A key that no entry brought in yet.
      writeFileSync(next, old);
    }
    const second = await house.spawn();
    expect(await chat(second)).toBe(200);
    expect(readFileSync(signing)).toEqual(fresh);
    await house.change(second, 'rotate');
    await second.kill('SIGTERM');
    await house.expectTrusted(house.chainOf().map(({ key }) => key));
  },
);
