/** What `request` and `response` entries say. Portable; imports only its own folder. */
import type { Json } from './canonical.ts';
import { isFlagAtMost } from './decision.ts';
import {
  digestOf,
  type Fields,
  hex64,
  isCount,
  isEarlier,
  isList,
  isMatching,
  isObject,
  isOneOf,
  type Part,
  utcForm,
} from './fields.ts';
import { type RuleVerdict, verdicts } from './outcomes.ts';

export interface RequestEntry {
  readonly type: 'request';
  readonly verdict: RuleVerdict;
  readonly digest: string;
  /** False for a tunnelled connection, whose answer is not recorded. */
  readonly recorded: boolean;
  /** The decision that carried it as one line of many; -1 for one that stands alone. */
  readonly batch: number;
  /** Made elsewhere and told to this ledger: no exchange passed here. */
  readonly reported: boolean;
}

export interface ResponseEntry {
  readonly type: 'response';
  readonly decision: number;
  readonly verdict: RuleVerdict;
  readonly digest: string;
  /** How many tool calls the answer makes; 0 where it is not said. */
  readonly toolCalls: number;
  /** In which decisions calls of it had been released before, so that no rule judged them; each once for each call. */
  readonly known: readonly number[];
}

export function readRequest(
  { verdict, recorded = true, batch = -1, reported }: Fields<'verdict' | 'recorded' | 'batch' | 'reported'>,
  parts: readonly Part[],
  seq: number,
): RequestEntry | undefined {
  if (!isOneOf(verdict, verdicts) || typeof recorded !== 'boolean') return undefined;
  if (batch !== -1 && !isEarlier(batch, seq)) return undefined;
  if (reported !== undefined && !(isReport(reported) && isFlagAtMost(verdict) && recorded && batch === -1))
    return undefined;
  const digest = digestOf(parts, 'request');
  if (digest === '') return undefined;
  return { type: 'request', verdict, digest, recorded, batch, reported: reported !== undefined };
}

type ResponseFields = Fields<'decision' | 'verdict' | 'file' | 'toolCalls' | 'known'>;

const noneKnown: readonly number[] = [];

export function readResponse(
  data: ResponseFields,
  parts: readonly Part[],
  seq: number,
): ResponseEntry | undefined {
  const { decision, verdict, file, toolCalls: calls, known: pairs } = data;
  if (!isEarlier(decision, seq) || !isOneOf(verdict, verdicts)) return undefined;
  if (file !== undefined && !isJudgedFile(file)) return undefined;
  const toolCalls = isCount(calls) ? calls : 0;
  const known = pairs === undefined ? noneKnown : readKnown(pairs, toolCalls, seq);
  const digest = digestOf(parts, 'response');
  if (known === undefined || digest === '') return undefined;
  // Where a rule stops the rest of an answer, all of it is judged.
  if (known.length > 0 && !isFlagAtMost(verdict)) return undefined;
  return { type: 'response', decision, verdict, digest, toolCalls, known };
}

/** Pairs of a place among so many calls, ascending, and a decision. */
function readKnown(pairs: Json, toolCalls: number, seq: number): readonly number[] | undefined {
  if (!isList(pairs) || pairs.length === 0) return undefined;
  const known: number[] = [];
  let next = 0;
  for (const pair of pairs) {
    if (!isList(pair) || pair.length !== 2) return undefined;
    const [place, decision] = pair;
    if (!isCount(place) || place < next || place >= toolCalls || !isEarlier(decision, seq)) return undefined;
    next = place + 1;
    known.push(decision);
  }
  return known;
}

/** Who said that who decided what elsewhere, and when. */
function isReport(report: Json): boolean {
  if (!isObject(report)) return false;
  const { at, by, decider, id, outcome } = report;
  const isNamed = [by, decider, id, outcome].every((text) => typeof text === 'string' && text !== '');
  return (
    isNamed && isMatching(at, utcForm) && Object.values(report).every((text) => typeof text === 'string')
  );
}

/** A file of requests by its provider's id, bound to who uploaded it: nothing else may pass for one. */
function isJudgedFile(file: Json): boolean {
  if (typeof file !== 'object' || !('id' in file) || Object.keys(file).length !== 2) return false;
  const { credential, id } = file;
  return isMatching(credential, hex64) && typeof id === 'string' && id !== '';
}
