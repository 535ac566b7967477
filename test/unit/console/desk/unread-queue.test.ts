/** A queue that could not be read while events go on: it does not stay half known until the next connection. */
import { describe, expect, it } from 'vitest';
import { ApiError } from '../../../../src/console/desk/api.ts';
import { backOffMs } from '../../../../src/console/desk/events.ts';
import { allIsHeard, one, pageOf, type Scene, setScene, two } from './queue-scene.ts';

describe('a queue that could not be read', () => {
  const why = new ApiError(503, 'overloaded', 'There is too much to do.', '');

  async function failedOnce(): Promise<Scene> {
    const scene = setScene();
    scene.connect();
    scene.first.resolve(pageOf([one]));
    await fail(scene);
    return scene;
  }

  /** The reading under way fails; the next one waits for an answer of its own. */
  async function fail(scene: Scene): Promise<void> {
    await allIsHeard();
    const { whole } = scene;
    scene.whole = Promise.withResolvers();
    whole.reject(why);
    await allIsHeard();
  }

  it('is told, read again after a pause, and no longer told once it was read', async () => {
    const scene = await failedOnce();
    expect(scene.store.get().problem).toBe(why.message);
    scene.pauses[0]?.end();
    scene.whole.resolve(pageOf([one, two]));
    const { problem } = await scene.until(({ order }) => order.length === 2);
    expect(problem).toBe('');
  });

  it('is read a bounded number of times, each later than the one before', async () => {
    const scene = await failedOnce();
    for (let at = 1; scene.pauses.length === at && at < 100; at += 1) {
      scene.pauses[at - 1]?.end();
      await fail(scene);
    }
    expect([scene.complaints.length, scene.pauses.length]).toEqual([7, 6]);
    for (const [at, { ms }] of scene.pauses.entries()) {
      expect(ms).toBeGreaterThanOrEqual(backOffMs(at, 0));
      expect(ms).toBeLessThanOrEqual(backOffMs(at, 1));
    }
  });

  it('is read once where a new connection reads it during the pause', async () => {
    const scene = await failedOnce();
    scene.queue.refresh();
    await allIsHeard();
    scene.whole.resolve(pageOf([one, two]));
    await scene.until(({ order }) => order.length === 2);
    scene.whole = Promise.withResolvers();
    scene.pauses[0]?.end();
    scene.whole.resolve(pageOf([one]));
    await allIsHeard();
    expect(scene.store.get().order).toEqual(['one', 'two']);
  });

  it('is read no more once the session ended', async () => {
    const scene = await failedOnce();
    scene.queue.stop();
    scene.pauses[0]?.end();
    scene.whole.resolve(pageOf([one, two]));
    await allIsHeard();
    expect(scene.store.get().order).toEqual(['one']);
  });
});
