/** A ledger that takes no more for a moment, just when what was released is about to be used: nobody rules for nothing. */
import { expect, it } from 'vitest';
import { createScene, type Scene } from '../property/hold/scene.ts';

async function release(scene: Scene): Promise<void> {
  scene.reviewers.rule(0, 'ada', 'release', 'reviewer');
  await scene.advance(1);
}

/** The ruling is sealed, and its use is refused. */
async function releaseIntoFull(scene: Scene): Promise<void> {
  scene.refuseNextSeal(1);
  scene.reviewers.rule(0, 'ada', 'release', 'reviewer');
  await scene.advance(1);
  expect(scene.callers.at(-1)?.heard()).toMatchObject({ status: 503, whole: true });
}

it('a question that was released when the ledger was full goes out for the next caller', async () => {
  const scene = await createScene();
  await scene.ask({ question: 1, answer: 0, streams: false });
  await releaseIntoFull(scene);
  expect(scene.provider.asked).toHaveLength(0);
  await scene.comeBack(0, false, 'reads');
  expect(scene.provider.asked).toHaveLength(1);
  expect(scene.callers.at(-1)?.heard()).toMatchObject({ status: 200, whole: true });
  await scene.end();
  expect(scene.watch.violations).toEqual([]);
});

it('an answer that was released when the ledger was full is there for the next caller', async () => {
  const scene = await createScene();
  await scene.ask({ question: 1, answer: 1, streams: false });
  await release(scene);
  await releaseIntoFull(scene);
  await scene.comeBack(0, false, 'reads');
  expect(scene.provider.asked).toHaveLength(1);
  const [asked] = scene.provider.asked;
  expect(scene.callers.at(-1)?.heard()).toMatchObject({ status: 200, whole: true, body: asked?.answer });
  await scene.end();
  expect(scene.watch.violations).toEqual([]);
});
