/** Whatever people and the schedule have erased, hold, lift and say meanwhile: the ledger verifies, and in the end all is gone. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createErasureDesk, type ErasureDesk } from '../../../src/erasure/desk.ts';
import type { KeptOrders, Scope } from '../../../src/ledger/erasure.ts';
import type { Ledger } from '../../../src/ledger/ledger.ts';
import { createLedgerUnderTest, type LedgerUnderTest } from '../../fault/ledger-under-test.ts';
import { createMemoryDisk } from '../../fault/memory-disk.ts';
import { createKeptOrders } from '../../support/kept-orders.ts';

const dayMs = 86_400_000;
const petra = { by: 'petra', role: 'privacy' } as const;
const rule = { id: 'chat', match: { workload: 'chat' }, keepDays: 1 };
const place = fc.nat(30);
const subject = fc.constantFrom('ab'.repeat(8), 'cd'.repeat(8));
const workload = fc.constantFrom('chat', 'billing');
const acts = fc.array(
  fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({ kind: fc.constant('decide' as const), subject, workload, lines: fc.nat(2) }),
    },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('say' as const), place }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('erase subject' as const), subject }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('erase decision' as const), place }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('erase class' as const), workload }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('erase and stop' as const), subject }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('hold' as const), place }) },
    { weight: 1, arbitrary: fc.constant({ kind: 'lift' as const }) },
    { weight: 2, arbitrary: fc.constant({ kind: 'schedule' as const }) },
    {
      weight: 2,
      arbitrary: fc.record({
        kind: fc.constant('start' as const),
        isIndexLost: fc.boolean(),
        /** The subject of an erasure that is asked for at the last moment. */
        cutOff: fc.option(subject),
      }),
    },
  ),
  { minLength: 3, maxLength: 20 },
);
type Act = typeof acts extends fc.Arbitrary<readonly (infer One)[]> ? One : never;

const partOf = (name: string) => ({ name, bytes: Buffer.from(`a ${name}`) });

/** A closed decision that carries so many lines; its request's seq. */
async function decide(ledger: Ledger, data: Record<string, string>, lines: number): Promise<number> {
  const sealOne = (more: Record<string, number>): number => {
    const { seq } = ledger.seal({
      type: 'request',
      data: { verdict: 'pass', ...data, ...more },
      parts: [partOf('request')],
    });
    ledger.seal({ type: 'response', data: { decision: seq, verdict: 'pass' }, parts: [partOf('response')] });
    return seq;
  };
  const root = sealOne({});
  const carried = Array.from({ length: lines }, (_, at) => sealOne({ batch: root, line: at + 1 }));
  const outcomes = [
    ...carried.map((seq): [number, string] => [seq, 'carried']),
    [root, 'delivered'] as [number, string],
  ];
  await ledger.seal({ type: 'delivery', data: { outcomes } }).durable;
  return root;
}

interface Scene {
  readonly ledger: Ledger;
  readonly desk: ErasureDesk;
  /** Lets the schedule come, a day later, and waits until all it asked for has ended. */
  pass(): Promise<void>;
}

async function begin(
  house: LedgerUnderTest,
  indexDisk: ReturnType<typeof createMemoryDisk>,
  orders: KeptOrders,
): Promise<Scene> {
  const ledger = await house.open({ openIndexStore: indexDisk.open });
  let due = (): void => undefined;
  let ids = house.clock.ms;
  const desk = createErasureDesk({
    ledger,
    terms: { rules: [rule], exemptions: [] },
    everyHours: 24,
    clock: { nowMs: () => house.clock.ms, monoUs: () => house.clock.ms * 1000 },
    schedule: (_ms, fn) => {
      due = fn;
      return () => undefined;
    },
    random: (length) => {
      ids += 1;
      return Buffer.from(
        String(ids)
          .padStart(2 * length, '0')
          .slice(-2 * length),
        'hex',
      );
    },
    orders,
    onEnd: () => undefined,
    onError: (_what, error) => {
      throw error;
    },
  });
  return {
    ledger,
    desk,
    pass: async () => {
      house.clock.ms += dayMs;
      due();
      while (desk.totals().pending > 0) await new Promise((resolve) => setImmediate(resolve));
    },
  };
}

const orderFor = (scope: Scope) =>
  ({ scope, basis: 'objection', ...petra, reason: 'asked for', dryRun: false }) as const;

async function erase({ desk }: Scene, scope: Scope): Promise<void> {
  const job = await desk.ended(desk.start(orderFor(scope)).id);
  expect(job?.error ?? null).toBeNull();
}

/** What the acts that change nothing but the ledger do. */
async function play(scene: Scene, roots: number[], one: Exclude<Act, { kind: 'start' }>): Promise<void> {
  const { ledger, desk } = scene;
  const decision = 'place' in one ? roots[one.place % Math.max(1, roots.length)] : undefined;
  if ('place' in one && decision === undefined) return;
  switch (one.kind) {
    case 'decide':
      roots.push(await decide(ledger, { subject: one.subject, workload: one.workload }, one.lines));
      break;
    case 'say': {
      const data = { action: 'read', by: 'ada', role: 'auditor', decision: decision ?? 0 };
      await ledger.seal({ type: 'access', data, parts: [partOf('reason')] }).durable;
      break;
    }
    case 'erase subject':
      await erase(scene, { subject: one.subject });
      break;
    case 'erase decision':
      await erase(scene, { decision: decision ?? 0 });
      break;
    case 'erase class':
      await erase(scene, { match: { workload: one.workload } });
      break;
    case 'erase and stop': {
      const { id } = desk.start(orderFor({ subject: one.subject }));
      desk.stopErasure(id, { ...petra, reason: 'by mistake' });
      expect((await desk.ended(id))?.state).toBe('stopped');
      break;
    }
    case 'hold':
      await desk.placeHold({ decision: decision ?? 0 }, petra, 'a case');
      break;
    case 'lift': {
      const [hold] = ledger.legalHolds();
      if (hold !== undefined) await desk.liftHold(hold.seq, petra, 'closed');
      break;
    }
    case 'schedule':
      await scene.pass();
  }
}

it('is one ledger that verifies, of whose decisions nothing is left once all of it was asked for', async () => {
  await fc.assert(
    fc.asyncProperty(acts, async (list) => {
      const house = createLedgerUnderTest();
      let indexDisk = createMemoryDisk();
      const orders = createKeptOrders();
      let scene = await begin(house, indexDisk, orders);
      const roots: number[] = [];
      for (const one of list) {
        if (one.kind !== 'start') {
          await play(scene, roots, one);
          continue;
        }
        const asked = one.cutOff === null ? null : scene.desk.start(orderFor({ subject: one.cutOff }));
        await scene.desk.stop();
        await scene.ledger.close('test');
        if (one.isIndexLost) indexDisk = createMemoryDisk();
        scene = await begin(house, indexDisk, orders);
        const ended = asked === null ? null : ((await scene.desk.ended(asked.id)) ?? asked);
        expect(ended?.state ?? 'done').toBe('done');
        expect(orders.all()).toEqual([]);
      }
      for (const { seq } of scene.ledger.legalHolds()) await scene.desk.liftHold(seq, petra, 'closed');
      await erase(scene, { match: {} });
      const entries = house.entries().filter(({ type }) => type !== 'erasure');
      const parts = entries.reduce((sum, entry) => sum + entry.parts.length, 0);
      await scene.desk.stop();
      await scene.ledger.close('test');
      const { findings, bodies, notes } = await house.verify();
      expect(findings).toEqual([]);
      expect(notes.filter((note) => note.includes('have no last entry'))).toEqual([]);
      expect(bodies.erased).toBe(parts);
    }),
    { numRuns: 25 },
  );
});
