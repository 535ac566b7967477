/** Another policy comes while what is sealed is read again after an outage: what was released is asked of that one, too. */
import { expect, it } from 'vitest';
import { beginDelivery } from '../../src/proxy/realtime/exchange.ts';
import { createScene, type Scene } from '../property/hold/scene.ts';

/** Something is released that nobody collects; then the ledger fails, is open again, and cannot be read yet. */
async function releaseBeforeOutage(question: number, answer: number): Promise<Scene> {
  const scene = await createScene();
  await scene.ask({ question, answer, streams: false });
  scene.leave(0);
  scene.reviewers.rule(0, 'ada', 'release', 'reviewer');
  await scene.advance(1);
  scene.failDisk('before');
  scene.grant('bob');
  await scene.advance(1);
  await scene.mendDisk();
  scene.holdReads();
  await scene.advance(5_000);
  return scene;
}

async function changeRules(scene: Scene, name: 'denying' | 'others'): Promise<void> {
  scene.changeRules(name, 'told');
  await scene.advance(1);
  await scene.advance(1);
  expect(scene.process().policyFile.current().version).toBe(name);
}

async function endSoundly(scene: Scene): Promise<void> {
  await scene.end();
  expect(scene.watch.violations).toEqual([]);
  expect((await scene.house.verify()).findings).toEqual([]);
}

it.each([
  ['question', 1, 0],
  ['answer', 0, 1],
] as const)(
  'a released %s that a policy denies by then stays where it is',
  async (_what, question, answer) => {
    const scene = await releaseBeforeOutage(question, answer);
    await scene.comeBack(0, true, 'reads');
    await changeRules(scene, 'denying');
    const asked = scene.provider.asked.length;
    await scene.letReads();
    expect(scene.callers.at(-1)?.heard()).toMatchObject({ status: 403, whole: true });
    expect(scene.provider.asked).toHaveLength(asked);
    await endSoundly(scene);
  },
);

it('a released answer that the policy in force by then only holds goes out', async () => {
  const scene = await releaseBeforeOutage(0, 1);
  await scene.comeBack(0, true, 'reads');
  await changeRules(scene, 'others');
  await scene.letReads();
  const [asked] = scene.provider.asked;
  expect(scene.callers.at(-1)?.heard()).toMatchObject({ status: 200, whole: true, body: asked?.answer });
  await endSoundly(scene);
});

it('what was released on a WebSocket is asked of the policy in force by then, too', async () => {
  const scene = await releaseBeforeOutage(0, 1);
  const { queue, ledger, policyFile } = scene.process();
  const [hold] = queue.list();
  if (hold === undefined) throw new Error('Nothing is held.');
  queue.attach(hold);
  const used = beginDelivery(hold, { holds: queue, ledger, policy: policyFile.current });
  const refused = expect(used).rejects.toMatchObject({ code: 'policy_changed' });
  await changeRules(scene, 'denying');
  await scene.letReads();
  await refused;
  expect(hold.attached).toBe(false);
  await endSoundly(scene);
});
