/** The Python that tests run: Debian's own where it is there; what stands before it in PATH may be a script that looks for one. */
import { existsSync } from 'node:fs';

const debians = '/usr/bin/python3';
export const pythonPath = existsSync(debians) ? debians : 'python3';
