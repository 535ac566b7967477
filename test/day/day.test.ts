import { describeDay } from './spec.ts';

describeDay(Number(process.env['TEST_SEED'] ?? Date.now() % 1_000_000), 8);
