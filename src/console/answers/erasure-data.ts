/** Erasures, legal holds and retention as the control port answers them. */
import type { ErasureCounts, ScopeShown } from '../words/erasure.ts';
import {
  flagIn,
  instantIn,
  listIn,
  numberIn,
  numbersIn,
  type Shape,
  shapeOf,
  textIn,
  textsIn,
  wordIn,
} from './shape.ts';

const states = ['waiting', 'running', 'done', 'stopped', 'failed'] as const;

export interface Erasure extends ErasureCounts {
  readonly id: string;
  readonly state: (typeof states)[number];
  readonly by: string;
  readonly basis: string;
  readonly scope: ScopeShown;
  /** Seqs of the first entries sealed for it. */
  readonly entries: readonly number[];
  readonly bytesWiped: number;
  readonly startedAtMs: number;
  /** Who asked that it stops; null while nobody did, and where the sidecar is of an earlier version. */
  readonly stoppedBy: string | null;
  /** Why it failed; null otherwise. */
  readonly error: string | null;
}

export interface LegalHold {
  readonly id: string;
  /** Of the entry that placed it. */
  readonly seq: number;
  readonly by: string;
  /** Null to whoever reads no content. */
  readonly reason: string | null;
  readonly scope: ScopeShown;
}

export interface RetentionRule {
  readonly id: string;
  readonly match: Readonly<Record<string, string>>;
  readonly keepDays: number | null;
  readonly minimumDays: number | null;
  readonly last: Erasure | null;
}

export interface Retention {
  readonly everyHours: number;
  readonly nextAtMs: number | null;
  readonly rules: readonly RetentionRule[];
  readonly exemptions: readonly {
    readonly id: string;
    readonly match: Readonly<Record<string, string>>;
    /** Null for all. */
    readonly bases: readonly string[] | null;
  }[];
}

export function readErasure(value: unknown): Erasure {
  const from = shapeOf(value, 'erasure');
  const refused = shapeOf(from['refused'], 'refused');
  return {
    id: textIn(from, 'id'),
    state: wordIn(from, 'state', states, 'running'),
    dryRun: flagIn(from, 'dryRun'),
    by: textIn(from, 'by'),
    basis: textIn(from, 'basis'),
    scope: readScope(from['scope']),
    decisions: numberIn(from, 'decisions'),
    erased: numberIn(from, 'erased'),
    parts: numberIn(from, 'parts'),
    refused: Object.fromEntries(Object.keys(refused).map((ground) => [ground, numberIn(refused, ground)])),
    entries: numbersIn(from, 'entries'),
    bytesWiped: numberIn(from, 'bytesWiped'),
    startedAtMs: instantIn(from, 'startedAt'),
    stoppedBy: from['stoppedBy'] == null ? null : textIn(from, 'stoppedBy'),
    error: from['error'] === null ? null : textIn(from, 'error'),
  };
}

/** Nothing of it changes any more. */
export function isOver({ state }: Erasure): boolean {
  return state === 'done' || state === 'stopped' || state === 'failed';
}

export function readErasures(value: unknown): readonly Erasure[] {
  return listIn(shapeOf(value, 'erasures'), 'items', readErasure);
}

export function readLegalHolds(value: unknown): readonly LegalHold[] {
  return listIn(shapeOf(value, 'legal holds'), 'items', (item) => {
    const from = shapeOf(item, 'legal hold');
    return {
      id: textIn(from, 'id'),
      seq: numberIn(from, 'seq'),
      by: textIn(from, 'by'),
      reason: from['reason'] === null ? null : textIn(from, 'reason'),
      scope: readScope(from['scope']),
    };
  });
}

export function readRetention(value: unknown): Retention {
  const from = shapeOf(value, 'retention');
  return {
    everyHours: numberIn(from, 'everyHours'),
    nextAtMs: from['nextAt'] === null ? null : instantIn(from, 'nextAt'),
    rules: listIn(from, 'rules', (item) => {
      const rule = shapeOf(item, 'retention rule');
      return {
        id: textIn(rule, 'id'),
        match: fieldsIn(rule, 'match'),
        keepDays: rule['keepDays'] === null ? null : numberIn(rule, 'keepDays'),
        minimumDays: rule['minimumDays'] === null ? null : numberIn(rule, 'minimumDays'),
        last: rule['last'] === null ? null : readErasure(rule['last']),
      };
    }),
    exemptions: listIn(from, 'exemptions', (item) => {
      const exemption = shapeOf(item, 'exemption');
      return {
        id: textIn(exemption, 'id'),
        match: fieldsIn(exemption, 'match'),
        bases: exemption['bases'] === null ? null : textsIn(exemption, 'bases'),
      };
    }),
  };
}

function readScope(value: unknown): ScopeShown {
  const from = shapeOf(value, 'scope');
  const has = (field: string): boolean => from[field] !== undefined;
  return {
    ...(has('decision') ? { decision: numberIn(from, 'decision') } : {}),
    ...(has('subject') ? { subject: textIn(from, 'subject') } : {}),
    ...(has('match') ? { match: fieldsIn(from, 'match') } : {}),
    ...(has('rule') ? { rule: textIn(from, 'rule') } : {}),
    ...(has('before') ? { before: textIn(from, 'before') } : {}),
  };
}

function fieldsIn(from: Shape, field: string): Readonly<Record<string, string>> {
  const fields = shapeOf(from[field], field);
  return Object.fromEntries(Object.keys(fields).map((name) => [name, textIn(fields, name)]));
}
