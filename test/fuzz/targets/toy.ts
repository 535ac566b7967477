/** The planted fault, as a target: what the fuzzer itself is tested on. */
import type { Target } from '../target.ts';
import { parseToy } from './toy-parser.ts';

export const targets: readonly Target[] = [
  {
    name: 'toy',
    seeds: () => [Buffer.alloc(4, 0x20)],
    run: (input) => {
      parseToy(input);
    },
    inputBytesMax: 64,
    usPerByteMax: 1,
  },
];
