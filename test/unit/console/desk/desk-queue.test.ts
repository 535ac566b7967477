import { describe, expect, it } from 'vitest';
import type { HoldSummary } from '../../../../src/console/answers/hold-data.ts';
import { signedOut } from '../../../../src/console/desk/desk-state.ts';
import { hold } from '../holds.ts';
import {
  allIsHeard,
  one,
  pageOf,
  releaseOf,
  type Scene,
  setReadScene,
  setScene,
  three,
  two,
} from './queue-scene.ts';

describe('the queue of a session that begins', () => {
  it('shows what waits first before the connection for events is there, and how many more wait', async () => {
    const scene = setScene();
    scene.queue.begin();
    scene.first.resolve(pageOf([one], 10_000));
    const { order, unread } = await scene.until(({ loaded }) => loaded);
    expect([order, unread]).toEqual([['one'], 9_999]);
  });

  it('is whole once it was read, and announces nothing of what was there before', async () => {
    const scene = setScene();
    scene.connect();
    scene.first.resolve(pageOf([one], 2));
    scene.whole.resolve(pageOf([one, two]));
    const { unread, announcement } = await scene.until(({ order }) => order.length === 2);
    expect([unread, announcement]).toEqual([0, '']);
  });

  it('is read whole though its first page could not be', async () => {
    const scene = setScene();
    scene.connect();
    scene.first.reject(new Error('no answer'));
    scene.whole.resolve(pageOf([one]));
    await scene.until(({ order }) => order.length === 1);
    expect(scene.complaints).toEqual([]);
  });

  it('says so where it cannot be read', async () => {
    const scene = setScene();
    scene.connect();
    scene.first.resolve(pageOf([one]));
    await scene.until(({ loaded }) => loaded);
    const why = new Error('no answer');
    scene.whole.reject(why);
    await allIsHeard();
    expect(scene.complaints).toEqual([why]);
  });
});

describe('while the queue is read', () => {
  it('a hold that ended is not put back by what was read of it before', async () => {
    const scene = setScene();
    scene.connect();
    scene.first.resolve(pageOf([one, two]));
    await scene.until(({ loaded }) => loaded);
    await allIsHeard();
    scene.queue.take(releaseOf(one));
    scene.whole.resolve(pageOf([one, two, three]));
    const { order, recent } = await scene.until(({ holds }) => holds.size === 3);
    expect([order, recent]).toEqual([['two', 'three'], ['one']]);
  });

  it('a hold that opened stays though the page it belongs to was read before', async () => {
    const scene = setScene();
    scene.connect();
    scene.first.resolve(pageOf([one]));
    await scene.until(({ loaded }) => loaded);
    await allIsHeard();
    scene.line = two;
    scene.queue.take({ ...releaseOf(two), kind: 'opened', state: 'pending' });
    await scene.until(({ order }) => order.length === 2);
    scene.whole.resolve(pageOf([one, three]));
    const { order } = await scene.until(({ holds }) => holds.size === 3);
    expect([order, scene.gone]).toEqual([['one', 'two', 'three'], []]);
  });
});

describe('while a line is read', () => {
  async function readingOne(): Promise<{ scene: Scene; lines: PromiseWithResolvers<HoldSummary | null>[] }> {
    const scene = await setReadScene();
    scene.queue.take({ ...releaseOf(one), kind: 'commented', state: 'pending', callerWaits: true });
    return { scene, lines: scene.lines };
  }

  it('a hold that ended is not put back by what was read of it before', async () => {
    const { scene, lines } = await readingOne();
    scene.queue.take(releaseOf(one));
    lines[0]?.resolve(one);
    await allIsHeard();
    lines[1]?.resolve({ ...one, state: 'released', callerWaits: false });
    await allIsHeard();
    const { order, recent } = scene.store.get();
    expect([order, recent]).toEqual([[], ['one']]);
  });

  it('a caller that left does not come back with what was read before', async () => {
    const { scene, lines } = await readingOne();
    scene.queue.take({ ...releaseOf(one), kind: 'caller-gone', state: 'pending' });
    lines[0]?.resolve({ ...one, commentCount: 1 });
    await allIsHeard();
    lines[1]?.resolve({ ...one, commentCount: 1, callerWaits: false });
    await allIsHeard();
    expect(scene.store.get().holds.get('one')).toMatchObject({ commentCount: 1, callerWaits: false });
  });
});

it('a hold that is over stays so whatever is put on the desk later', async () => {
  const scene = await setReadScene();
  scene.queue.take(releaseOf(one));
  scene.queue.put({ ...one, commentCount: 1 });
  const { order, recent } = scene.store.get();
  expect([order, recent]).toEqual([[], ['one']]);
});

describe('of more holds than a tab keeps', () => {
  it('as many are listed, and how many more wait is told and not forgotten', async () => {
    const scene = setScene();
    const page = Array.from({ length: 10_000 }, (_, at) => hold(`h-${at}`, { expiresAtMs: at }));
    scene.whole.resolve({ items: page, total: 25_000, next: 'more' });
    scene.first.resolve(pageOf([one], 24_000));
    scene.connect();
    const { order, unread } = await scene.until(({ isCut }) => isCut);
    expect([order.length, order.length + unread]).toEqual([10_000, 24_000]);
  });

  it('those left unread are read once half of the listed ones are ruled on', async () => {
    const scene = setScene();
    const page = Array.from({ length: 4 }, (_, at) => hold(`h-${at}`, { expiresAtMs: at }));
    scene.whole.resolve({ items: page, total: 24_000, next: 'more' });
    scene.first.resolve(pageOf([one], 24_000));
    scene.connect();
    await scene.until(({ isCut }) => isCut);
    await allIsHeard();
    scene.whole = Promise.withResolvers();
    scene.whole.resolve(pageOf([two, three]));
    for (const ruled of page.slice(0, 2)) scene.queue.take(releaseOf(ruled));
    const { order, unread } = await scene.until(({ isCut }) => !isCut);
    expect([order, unread]).toEqual([['two', 'three'], 0]);
  });
});

describe('what was asked for in a session that ended', () => {
  it('is shown to nobody', async () => {
    const scene = setScene();
    scene.connect();
    scene.queue.stop();
    scene.store.set(signedOut);
    scene.first.resolve(pageOf([one]));
    scene.whole.resolve(pageOf([one, two]));
    await allIsHeard();
    expect(scene.store.get()).toEqual(signedOut);
  });

  it('ends no later session by its refusal', async () => {
    const scene = setScene();
    scene.connect();
    scene.first.resolve(pageOf([]));
    scene.queue.stop();
    scene.whole.reject(new Error('unauthenticated'));
    await allIsHeard();
    expect(scene.complaints).toEqual([]);
  });
});
