/**
 * Calls of models that a person released and that reached who asked. What a provider keeps, a conversation or the log of a
 * session, is read back again and again: a call in it that this caller has is no reason to hold it once more. In memory, and
 * bounded: what is forgotten is held again.
 */
import { createHash } from 'node:crypto';
import type { ToolCallFact } from '../core/facts.ts';
import type { Call } from './call.ts';
import type { Upstream } from './upstream.ts';

/** A call of an answer, by its place among them, and the decision in which it was released. */
export type KnownCall = readonly [place: number, decision: number];

/** Who asked whom. */
interface Asker extends Pick<Call, 'credential'> {
  readonly upstream: Pick<Upstream, 'name'>;
}

export interface LetThrough {
  /** Remembers calls that `asker` has, released in `decision`. */
  add(asker: Asker, decision: number, calls: readonly ToolCallFact[]): void;
  /** Those of an answer to `call` that its caller has, 256 at most; none where what was asked may have made the model say them anew. */
  among(call: Asker & Pick<Call, 'method'>, calls: readonly ToolCallFact[]): readonly KnownCall[];
}

const callsMax = 10_000;
/** Shorter ones are counters of some server's, such as `call_0`: another call may have the same. */
const idCharactersMin = 16;
/** Of one answer: its entry names each of them. */
const knownMax = 256;

/** One memory for a process. */
export function createLetThrough(): LetThrough {
  const decisions = new Map<string, number>();
  return {
    add: (asker, decision, calls) => {
      for (const call of calls) {
        if (call.id.length < idCharactersMin) continue;
        const [oldest] = decisions.keys();
        if (decisions.size >= callsMax && oldest !== undefined) decisions.delete(oldest);
        decisions.set(keyOf(asker, call), decision);
      }
    },
    among: (call, calls) => {
      // What reads alone makes no model say anything.
      if (call.method !== 'GET' || decisions.size === 0) return [];
      const known = calls.flatMap((each, place): readonly KnownCall[] => {
        const decision = decisions.get(keyOf(call, each));
        return decision === undefined ? [] : [[place, decision]];
      });
      return known.slice(0, knownMax);
    },
  };
}

/** The whole of it: a call of the same id that says anything else, or says it to another reader, is another one. */
function keyOf({ credential, upstream }: Asker, call: ToolCallFact): string {
  const { id, name, argumentsText, alsoAs = [] } = call;
  const others = alsoAs.map((other) => [other.name, other.argumentsText]);
  const text = JSON.stringify([credential, upstream.name, id, name, argumentsText, others]);
  return createHash('sha256').update(text).digest('base64');
}
