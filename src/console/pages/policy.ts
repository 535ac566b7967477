/** The policy: the rules in force with their tests, a draft to try, and the sealed versions as differences. */

import { type ComponentChild, h } from 'preact';
import { useState } from 'preact/hooks';
import {
  type PolicyRule,
  type PolicyVersion,
  readRules,
  readSource,
  readVersions,
} from '../answers/policy-data.ts';
import type { Desk } from '../desk/desk.ts';
import { PageFrame, Problem, useFetched } from '../desk/fetched.ts';
import { searchAddress } from '../desk/place.ts';
import { Damage } from '../drawn/damage.ts';
import { DifferenceView } from '../drawn/difference-view.ts';
import { Recorded } from '../drawn/recorded.ts';
import { SeverityMark } from '../drawn/severity.ts';
import { differenceOf } from '../words/difference.ts';
import { exactText, spanText } from '../words/time.ts';
import { DraftSection } from './draft.ts';

export function PolicyPage({ desk }: { readonly desk: Desk }): ComponentChild {
  const rules = useFetched(desk, '/api/v1/policy/rules', readRules);
  const policy = rules.value;
  return h(
    PageFrame,
    {
      title: 'Policy',
      label: 'policy',
      lead:
        policy === null
          ? 'The rules in force.'
          : [
              'Version ',
              h(Recorded, { text: policy.version }),
              h('code', { title: `Digest: ${policy.digest}` }, ` ${policy.digest.slice(0, 12)}…`),
            ],
    },
    [
      h(Problem, { of: rules }),
      policy === null
        ? null
        : h('div', { class: 'sections' }, [
            h(Rules, { rules: policy.rules }),
            h(DraftSection, { desk, digest: policy.digest }),
            h(Versions, { desk }),
          ]),
    ],
  );
}

function Rules({ rules }: { readonly rules: readonly PolicyRule[] }): ComponentChild {
  const tests = rules.flatMap((rule) => rule.tests);
  const failed = tests.filter(({ passed }) => !passed).length;
  return h('section', { class: 'section', 'aria-labelledby': 'rules-title' }, [
    h('h2', { id: 'rules-title' }, `Rules in force (${rules.length})`),
    h('p', { class: failed === 0 ? 'verdict-good' : 'problem' }, [
      h('span', { 'aria-hidden': 'true' }, failed === 0 ? '✓ ' : '✗ '),
      failed === 0 ? `All ${tests.length} of their tests hold.` : `${failed} of ${tests.length} tests fail.`,
    ]),
    rules.length === 0 ? h('p', { class: 'quiet' }, 'There are none: every call passes, recorded.') : null,
    rules.map((rule) => h(RuleCard, { key: rule.id, rule })),
  ]);
}

function RuleCard({ rule }: { readonly rule: PolicyRule }): ComponentChild {
  return h('section', { class: 'card rule' }, [
    h('div', { class: 'rule-title' }, [
      h(SeverityMark, { severity: rule.severity }),
      h('h3', null, h(Recorded, { text: rule.title })),
      h('span', { class: `flag verdict-mark-${rule.action}` }, rule.action),
      h('a', { class: 'rule-id', href: searchAddress({ rule: rule.id }) }, [
        h('code', null, rule.id),
        h('span', { class: 'sr-only' }, ': decisions that it matched'),
      ]),
    ]),
    h('p', { class: 'quiet' }, termsOf(rule)),
    h(
      'pre',
      { class: 'when', tabIndex: 0, 'aria-label': `When ${rule.id} matches` },
      h(Recorded, { text: rule.when.trim() }),
    ),
    h('details', { class: 'fold' }, [
      h(
        'summary',
        null,
        `${rule.tests.length} tests, ${rule.tests.filter(({ passed }) => passed).length} hold`,
      ),
      h(
        'ul',
        { class: 'tests' },
        rule.tests.map((test) =>
          h('li', { key: test.name, class: test.passed ? '' : 'problem' }, [
            h('span', { 'aria-hidden': 'true' }, test.passed ? '✓ ' : '✗ '),
            h(Recorded, { text: `${test.name}: ${test.passed ? test.expected : test.message}` }),
          ]),
        ),
      ),
    ]),
  ]);
}

function termsOf(rule: PolicyRule): string {
  const when = rule.phase === 'request' ? 'Judged before the call goes out' : 'Judged on the whole answer';
  if (rule.action !== 'hold') return `${when}.`;
  const people = rule.hold.approvals === 1 ? 'one person' : `${rule.hold.approvals} different people`;
  const requester = rule.hold.notRequester ? ', never the requester' : '';
  return `${when}. Waits ${spanText(rule.hold.expiresInMs)} for ${people} in the role ${rule.hold.roles.join(' or ')}${requester}.`;
}

function Versions({ desk }: { readonly desk: Desk }): ComponentChild {
  const versions = useFetched(desk, '/api/v1/policy/versions?limit=100', readVersions);
  const [shown, setShown] = useState<number | null>(null);
  const changes = changesOf(versions.value?.items ?? []);
  return h('section', { class: 'section', 'aria-labelledby': 'versions-title' }, [
    h('h2', { id: 'versions-title' }, 'Versions'),
    h(Problem, { of: versions }),
    h(Damage, {
      told: versions.value?.unreadable ?? [],
      missing: 'A version that is among them is not listed here.',
    }),
    h(
      'ol',
      { class: 'versions' },
      changes.map((change) =>
        h('li', { key: change.version.seq, class: 'card' }, [
          h('div', { class: 'version-head' }, [
            h(
              'strong',
              null,
              change.version.result === 'refused' ? 'refused' : h(Recorded, { text: change.version.version }),
            ),
            h('code', { class: 'quiet' }, change.version.digest.slice(0, 12)),
            h('span', { class: 'num quiet' }, exactText(change.version.atMs)),
            change.before === null
              ? h('span', { class: 'quiet' }, 'the first that is known')
              : h(
                  'button',
                  {
                    type: 'button',
                    class: 'button',
                    'aria-expanded': shown === change.version.seq ? 'true' : 'false',
                    onClick: () => setShown(shown === change.version.seq ? null : change.version.seq),
                  },
                  'What changed',
                ),
          ]),
          shown === change.version.seq && change.before !== null
            ? h(Change, { desk, version: change.version, before: change.before })
            : null,
        ]),
      ),
    ),
  ]);
}

interface Version {
  readonly version: PolicyVersion;
  /** What was in force when it came; null for the first. */
  readonly before: PolicyVersion | null;
}

/** Each time another file came, newest first: a start with the same one is no change. */
export function changesOf(sealed: readonly PolicyVersion[]): readonly Version[] {
  const changes: Version[] = [];
  let inForce: PolicyVersion | null = null;
  let last = '';
  for (const version of sealed.toReversed()) {
    if (version.digest === last || version.digest === inForce?.digest) continue;
    changes.unshift({ version, before: inForce });
    last = version.digest;
    if (version.result === 'loaded') inForce = version;
  }
  return changes;
}

function Change(props: {
  readonly desk: Desk;
  readonly version: PolicyVersion;
  readonly before: PolicyVersion;
}): ComponentChild {
  const { desk, version, before } = props;
  const now = useFetched(desk, `/api/v1/policy/versions/${version.seq}`, readSource);
  const then = useFetched(desk, `/api/v1/policy/versions/${before.seq}`, readSource);
  return h('div', null, [
    h(Problem, { of: now }),
    h(Problem, { of: then }),
    now.value === null || then.value === null
      ? null
      : h(DifferenceView, { short: true, lines: differenceOf(then.value, now.value) }),
  ]);
}
