/**
 * The seed of every property test in a run. One content of the repository has one seed, so that what passed on one
 * machine passes on the next, and each commit draws other cases. The slow tier draws anew in every run.
 */
import { execFileSync } from 'node:child_process';
import fc from 'fast-check';

/** The variable that carries the seed from the run to its workers; set by hand, it repeats another run. */
const variable = 'PROPERTY_SEED';

/** The seed of this checkout as text, for `variable`; a copy without Git's history has a fixed one. */
export function seedOfCheckout(): string {
  const given = process.env[variable];
  if (given !== undefined) return given;
  try {
    const tree = execFileSync('git', ['rev-parse', 'HEAD^{tree}'], { encoding: 'utf8', stdio: 'pipe' });
    return String(Number.parseInt(tree.slice(0, 7), 16));
  } catch {
    return '1';
  }
}

const seed = Number(process.env[variable] ?? Number.NaN);
if (Number.isSafeInteger(seed)) fc.configureGlobal({ ...fc.readConfigureGlobal(), seed });
