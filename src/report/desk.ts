/**
 * Takes in decisions that were made elsewhere and seals them as reported: no rule stopped them and nobody here saw the
 * exchange. What the rules would have said is sealed as flags. Owns which reports are under way.
 */
import { HoldpointError } from '../core/errors.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { Draft } from '../ledger/sealer.ts';
import { reportTerm } from '../ledger/search.ts';
import type { Judgement, Match, Phase, Policy } from '../policy/policy.ts';
import { answerLeaf, type LeafData, requestLeaf } from '../record/leaf-data.ts';
import { findKnown, type KnownLedger } from './known.ts';
import { type Report, readReport, type StoredMessage, toldBy } from './line.ts';
import type { Line } from './split.ts';

/** Lines that are sealed and not yet durable, of one report. */
const linesPerTurn = 64;
/** Of the same; a single line may be larger. */
const bytesPerTurn = 8 * 1024 * 1024;
/** Decisions without their answer that are kept in mind. */
const cutOffMax = 1_000;

export type LineResult =
  | {
      readonly line: number;
      readonly status: 'sealed' | 'known';
      readonly id: string;
      /** Request seq. */
      readonly decision: number;
      /** Ids of rules that match it; nothing was held or denied. */
      readonly rules: readonly string[];
    }
  | {
      readonly line: number;
      readonly status: 'refused';
      readonly id: string;
      readonly error: HoldpointError;
    };

export interface ReportDesk {
  /** Seals each line for `by`; yields what became of it, in order, once that is durable. Never rejects for a line. */
  take(lines: AsyncIterable<Line>, by: string): AsyncGenerator<LineResult>;
}

export interface ReportHouse {
  readonly ledger: Pick<Ledger, 'seal' | 'settle'> & KnownLedger;
  readonly policy: () => Policy;
  readonly fingerprint: (subject: string) => string;
}

type Sealing = ReturnType<Ledger['seal']>;

interface Sealed {
  readonly result: LineResult;
  /** Resolves once what the line sealed is durable; undefined where it sealed nothing. */
  readonly durable?: Promise<void>;
  readonly bytes: number;
}

export function createReportDesk(house: ReportHouse): ReportDesk {
  /** By reporter and id, until they are durable and found in the index: two reports at once must not seal one twice. */
  const underWay = new Map<string, Promise<void>>();
  /** Decisions whose answer found no room: the ledger says so of each in a moment, and whoever sends it again may come before. */
  const cutOff = new Set<number>();

  async function take(line: Line, by: string, settleOthers: () => Promise<void>): Promise<Sealed> {
    const bytes = line.bytes?.length ?? 0;
    let id = '';
    try {
      if (line.bytes === null)
        throw new HoldpointError(
          'body_too_large',
          'The line is too long.',
          'Report it in parts, or without its bodies.',
        );
      const report = readReport(line.bytes);
      id = report.id;
      const key = reportTerm(toldBy(report, by));
      while (underWay.has(key)) {
        await settleOthers();
        await underWay.get(key)?.catch(() => undefined);
      }
      // Nobody else may begin the same one while it is looked for.
      const { promise, resolve } = Promise.withResolvers<void>();
      underWay.set(key, promise);
      const done = (): void => {
        underWay.delete(key);
        resolve();
      };
      try {
        const known = await findKnown(report, key, house.ledger, cutOff);
        if (known !== null) {
          done();
          return { result: { line: line.number, status: 'known', id, ...known }, bytes };
        }
        const { decision, rules, durable } = await sealPatiently(report, by, settleOthers, house, cutOff);
        durable.then(done, done);
        return { result: { line: line.number, status: 'sealed', id, decision, rules }, durable, bytes };
      } catch (error) {
        done();
        throw error;
      }
    } catch (error) {
      if (!(error instanceof HoldpointError)) throw error;
      return { result: { line: line.number, status: 'refused', id, error }, bytes };
    }
  }

  return {
    take: async function* (lines, by) {
      let waiting: Sealed[] = [];
      let bytes = 0;
      const settleOthers = async (): Promise<void> => {
        await Promise.allSettled(waiting.map(({ durable }) => durable));
      };
      for await (const line of lines) {
        const sealed = await take(line, by, settleOthers);
        waiting.push(sealed);
        bytes += sealed.bytes;
        if (waiting.length < linesPerTurn && bytes < bytesPerTurn) continue;
        for (const one of waiting) yield await settled(one);
        waiting = [];
        bytes = 0;
      }
      for (const one of waiting) yield await settled(one);
    },
  };
}

/** A line counts once it is on disk. */
async function settled({ result, durable }: Sealed): Promise<LineResult> {
  try {
    await durable;
    return result;
  } catch (error) {
    if (!(error instanceof HoldpointError)) throw error;
    const { line, id } = result;
    const next = 'It may or may not be sealed. Send the line again: its id keeps it from being sealed twice.';
    return { line, id, status: 'refused', error: new HoldpointError(error.code, error.message, next, error) };
  }
}

/**
 * Both parts, or it is interrupted: where the ledger has too much to do for one of them, what is before it goes first, and
 * a part that is sealed is not sealed again.
 */
async function sealPatiently(
  report: Report,
  by: string,
  settleOthers: () => Promise<void>,
  { ledger, policy: policyNow, fingerprint }: ReportHouse,
  cutOff: Set<number>,
) {
  const policy = policyNow();
  const { facts, request, answer } = report;
  const asked = flagged(policy, 'request', report);
  const asker = {
    method: facts.request.method,
    operation: facts.request.operation,
    credential: '',
    upstream: { name: '' },
  };
  const data = requestLeaf(asker, facts.request, request.bytes, asked, policy, fingerprint);
  data['reported'] = toldBy(report, by);
  const first = await patiently(() => ledger.seal(draftOf('request', data, request)), settleOthers);
  const rules = asked.matches.map(({ rule }) => rule);
  if (answer === null || facts.response === undefined) {
    ledger.settle(first.seq, 'reported');
    return { decision: first.seq, rules, durable: first.durable };
  }
  const judgement = flagged(policy, 'response', report);
  const { failed, facts: answered } = answer.reading;
  const result = failed || answered.status >= 400 ? 'error' : 'ok';
  const told = { facts: answered, result, judgement, policy, elapsedUs: 0 } as const;
  // How long it took is not known here.
  const { elapsedUs: _, ...leaf } = answerLeaf(first.seq, told, answer.bytes, false);
  const draft = { ...draftOf('response', { ...leaf, reported: true }, answer), refs: [first.seq] };
  // Whether the ledger failed meanwhile, sealing the answer says.
  const isDurable = first.durable.catch(() => undefined);
  let second: Sealing;
  try {
    second = await patiently(
      () => ledger.seal(draft),
      () => isDurable,
    );
  } catch (error) {
    // Of those before, the ledger has said so long since.
    if (cutOff.size >= cutOffMax) cutOff.clear();
    cutOff.add(first.seq);
    ledger.settle(first.seq, 'interrupted');
    throw error;
  }
  // Once it is settled nothing more of it can be sealed.
  ledger.settle(first.seq, 'reported');
  const durable = Promise.all([first.durable, second.durable]).then(() => undefined);
  return { decision: first.seq, rules: [...rules, ...judgement.matches.map(({ rule }) => rule)], durable };
}

/** Once more, after `makeRoom`, where the ledger was overloaded; then nothing was queued. */
async function patiently(seal: () => Sealing, makeRoom: () => Promise<void>): Promise<Sealing> {
  try {
    return seal();
  } catch (error) {
    if (!(error instanceof HoldpointError) || error.code !== 'overloaded') throw error;
    await makeRoom();
    return seal();
  }
}

function draftOf(type: 'request' | 'response', data: LeafData, { message, removed }: StoredMessage): Draft {
  if (removed > 0) data['removed'] = removed;
  return { type, data, parts: [{ name: type, bytes: message }] };
}

/** It was decided already: whatever a rule asks for, it can only say that it matches. */
function flagged(policy: Policy, phase: Phase, report: Report): Judgement {
  const defects = phase === 'request' ? report.requestDefects : (report.answer?.reading.defects ?? []);
  const { matches } = policy.judge(phase, report.facts);
  const flags = matches.map((match): Match => ({ ...match, action: 'flag' }));
  if (defects.length > 0) flags.push({ ...unreadable, error: defects.join('; ') });
  return { action: flags.length === 0 ? 'pass' : 'flag', matches: flags };
}

const unreadable: Match = {
  rule: 'holdpoint:unreadable',
  title: 'What was reported could not be read',
  when: '',
  action: 'flag',
  severity: 'high',
  hold: { expiresInMs: 0, approvals: 1, roles: [], notRequester: false },
};
