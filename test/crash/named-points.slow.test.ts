import { expect, it } from 'vitest';
import { killAt } from './named-points.ts';

const fates = ['before', 'middle', 'after'] as const;
/** More calls than the life has: it must come to its end before. */
const callsMax = 200;

it.each(['strict', 'relaxed'] as const)(
  'a process killed at any storage call of a %s life leaves all that it acknowledged',
  async (durability) => {
    const points = new Map<string, number>();
    const faults: string[] = [];
    let kills = 0;
    for (let at = 0, ended = false; !ended && at < callsMax; at += 1) {
      for (const fate of fates) {
        const report = await killAt(at, fate, durability);
        faults.push(...report.faults.map((fault) => `call ${at}, ${fate}: ${fault}`));
        if (report.killed === null) {
          ended = true;
          continue;
        }
        kills += 1;
        points.set(report.killed, (points.get(report.killed) ?? 0) + 1);
      }
    }
    process.stdout.write(`named points, ${durability}: ${kills} kills at ${JSON.stringify([...points])}\n`);
    expect(faults).toEqual([]);
    expect(points.size).toBeGreaterThanOrEqual(15);
    expect(kills).toBeGreaterThan(150);
  },
);
