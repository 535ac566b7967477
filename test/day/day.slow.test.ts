import { describeDay } from './spec.ts';

const first = Number(process.env['TEST_SEED'] ?? Date.now() % 1_000_000);
for (let seed = first; seed < first + 10; seed += 1) describeDay(seed, 60);
