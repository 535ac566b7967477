/** A line of the queue that an event named and that could not be read: it is not forgotten until the next connection. */
import { describe, expect, it } from 'vitest';
import { ApiError } from '../../../../src/console/desk/api.ts';
import { backOffMs } from '../../../../src/console/desk/events.ts';
import { allIsHeard, releaseOf, type Scene, setReadScene, three, two } from './queue-scene.ts';

describe('a line that could not be read', () => {
  const opened = { ...releaseOf(two), kind: 'opened', state: 'pending' as const };
  const why = new ApiError(503, 'overloaded', 'There is too much to do.', '');

  async function failedOnce(error = why): Promise<Scene> {
    const scene = await setReadScene();
    scene.queue.take(opened);
    scene.lines[0]?.reject(error);
    await allIsHeard();
    return scene;
  }

  it('is told, asked for again after a pause, and no longer told once it was read', async () => {
    const scene = await failedOnce();
    expect([scene.store.get().problem, scene.lines.length]).toEqual([why.message, 1]);
    scene.pauses[0]?.end();
    await allIsHeard();
    scene.lines[1]?.resolve(two);
    await allIsHeard();
    const { order, problem } = scene.store.get();
    expect([order, problem]).toEqual([['one', 'two'], '']);
  });

  it('keeps no other line from being read meanwhile', async () => {
    const scene = await failedOnce();
    scene.queue.take({ ...opened, id: 'three' });
    scene.lines[1]?.resolve(three);
    const { order, problem } = await scene.until(({ order: all }) => all.length === 2);
    expect([order, problem]).toEqual([['one', 'three'], why.message]);
  });

  it('is asked for a bounded number of times, each later than the one before', async () => {
    const scene = await failedOnce();
    for (let at = 1; scene.pauses.length === at && at < 100; at += 1) {
      scene.pauses[at - 1]?.end();
      await allIsHeard();
      scene.lines[at]?.reject(why);
      await allIsHeard();
    }
    expect([scene.lines.length, scene.pauses.length]).toEqual([7, 6]);
    for (const [at, { ms }] of scene.pauses.entries()) {
      expect(ms).toBeGreaterThanOrEqual(backOffMs(at, 0));
      expect(ms).toBeLessThanOrEqual(backOffMs(at, 1));
    }
    expect(scene.store.get().problem).toBe(why.message);
  });

  it('is asked for no more once the session ended', async () => {
    const scene = await failedOnce();
    scene.queue.stop();
    scene.pauses[0]?.end();
    await allIsHeard();
    expect(scene.lines.length).toBe(1);
  });

  it('is asked for once where an event names it during the pause', async () => {
    const scene = await failedOnce();
    scene.queue.take(opened);
    scene.lines[1]?.resolve(two);
    await scene.until(({ order }) => order.length === 2);
    scene.pauses[0]?.end();
    await allIsHeard();
    expect(scene.lines.length).toBe(2);
  });

  it('is not asked for again where the session is over', async () => {
    const scene = await failedOnce(new ApiError(401, 'unauthenticated', 'Nobody is signed in.', ''));
    expect([scene.pauses.length, scene.complaints.length]).toEqual([0, 1]);
  });
});
