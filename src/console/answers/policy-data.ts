/** The policy as the control port describes it. */

import { type Severity, severities } from './hold-data.ts';
import { flagIn, instantIn, listIn, numberIn, shapeOf, textIn, textsIn, wordIn } from './shape.ts';
import { readUnreadable, type Unreadable } from './unreadable-data.ts';

export interface PolicyRule {
  readonly id: string;
  readonly title: string;
  readonly phase: 'request' | 'response';
  readonly when: string;
  readonly action: 'hold' | 'deny' | 'flag';
  readonly severity: Severity;
  readonly hold: {
    readonly expiresInMs: number;
    readonly approvals: number;
    readonly roles: readonly string[];
    readonly notRequester: boolean;
  };
  readonly tests: readonly {
    readonly name: string;
    readonly expected: string;
    readonly passed: boolean;
    readonly message: string;
  }[];
}

export interface PolicyRules {
  readonly version: string;
  readonly digest: string;
  readonly rules: readonly PolicyRule[];
}

export interface PolicyVersion {
  readonly seq: number;
  readonly atMs: number;
  readonly version: string;
  readonly digest: string;
  readonly result: 'loaded' | 'refused';
}

export function readRules(value: unknown): PolicyRules {
  const from = shapeOf(value, 'policy');
  return {
    version: textIn(from, 'version'),
    digest: textIn(from, 'digest'),
    rules: listIn(from, 'rules', readRule),
  };
}

function readRule(item: unknown): PolicyRule {
  const from = shapeOf(item, 'rule');
  const hold = shapeOf(from['hold'], 'hold');
  return {
    id: textIn(from, 'id'),
    title: textIn(from, 'title'),
    phase: wordIn(from, 'phase', ['request', 'response'], 'response'),
    when: textIn(from, 'when'),
    action: wordIn(from, 'action', ['hold', 'deny', 'flag'], 'hold'),
    severity: wordIn(from, 'severity', severities, 'high'),
    hold: {
      expiresInMs: numberIn(hold, 'expiresInMs'),
      approvals: numberIn(hold, 'approvals'),
      roles: textsIn(hold, 'roles'),
      notRequester: flagIn(hold, 'notRequester'),
    },
    tests: listIn(from, 'tests', (test) => {
      const read = shapeOf(test, 'test');
      return {
        name: textIn(read, 'name'),
        expected: textIn(read, 'expected'),
        passed: flagIn(read, 'passed'),
        message: textIn(read, 'message'),
      };
    }),
  };
}

export interface PolicyVersions {
  readonly items: readonly PolicyVersion[];
  /** Damaged entries among those looked at: a version among them is not listed. */
  readonly unreadable: readonly Unreadable[];
}

export function readVersions(value: unknown): PolicyVersions {
  const page = shapeOf(value, 'versions');
  const items = listIn(page, 'items', (item): PolicyVersion => {
    const from = shapeOf(item, 'version');
    return {
      seq: numberIn(from, 'seq'),
      atMs: instantIn(from, 'at'),
      version: textIn(from, 'version'),
      digest: textIn(from, 'digest'),
      result: wordIn(from, 'result', ['loaded', 'refused'], 'refused'),
    };
  });
  return { items, unreadable: readUnreadable(page) };
}

export function readSource(value: unknown): string {
  return textIn(shapeOf(value, 'version'), 'source');
}
