/** What was sealed of a decision, an entry a line, each in words. */
import { type ComponentChild, h } from 'preact';
import type { Decision, DecisionDetail, Entry } from '../answers/decision-data.ts';
import { entryAddress } from '../desk/place.ts';
import { OutcomeMark } from '../drawn/outcome.ts';
import { Recorded } from '../drawn/recorded.ts';
import { wordsOf } from '../words/erasure.ts';
import { exactText } from '../words/time.ts';

const doings: Readonly<Record<string, string>> = {
  request: 'the request was sealed, before it went out',
  response: 'the answer was sealed, before it was delivered whole',
  hold: 'held for a person',
  recovery: 'closed when the sidecar started again',
  access: 'somebody read it',
};

export function Story({ detail }: { readonly detail: DecisionDetail }): ComponentChild {
  return h('section', { class: 'section', 'aria-labelledby': 'story-title' }, [
    h('h2', { id: 'story-title' }, 'What was sealed'),
    h(
      'ol',
      { class: 'story' },
      detail.entries.map((entry) =>
        h('li', { key: entry.seq }, [
          h('span', { class: 'num quiet' }, exactText(entry.atMs)),
          h('span', null, [
            h('strong', null, entry.type),
            ' ',
            h('span', null, doingOf(entry, detail.decision.outcome)),
          ]),
          h('a', { href: entryAddress(entry.seq), class: 'num' }, `entry ${entry.seq}`),
        ]),
      ),
    ),
  ]);
}

function doingOf({ type, data }: Entry, outcome: Decision['outcome']): ComponentChild {
  const said = (name: string): string => {
    const value = data[name];
    return typeof value === 'string' ? value : '';
  };
  // What a provider calls somebody is anybody's to choose: it stands behind the name that counts.
  const called = said('display') === '' ? '' : `, called ${JSON.stringify(said('display'))}`;
  if (type === 'ruling')
    return h(Recorded, {
      text: `${said('verdict')} by ${said('by')}${called} (${said('role')})${data['final'] === true ? '' : ', more approvals needed'}`,
    });
  if (type === 'delivery')
    return typeof data['attempt'] === 'number'
      ? `the release is used: attempt ${data['attempt']} to hand it to the workload`
      : ['how it ended: ', h(OutcomeMark, { outcome })];
  if (type === 'access') return h(Recorded, { text: `${said('action')} by ${said('by')} (${said('role')})` });
  if (type === 'erasure') return h(Recorded, { text: erasureText(said) });
  if (data['reported'] !== undefined) return `it was reported; rules in force would say ${said('verdict')}`;
  if (type === 'request') return `${doings['request']}; the rules said ${said('verdict')}`;
  if (type === 'response')
    return [`${doings['response']}; the rules said ${said('verdict')}`, ...knownText(data['known'])];
  return doings[type] ?? '';
}

/** Which calls of the answer its caller had before, by the releases of which decisions. */
function knownText(known: unknown): readonly ComponentChild[] {
  const pairs = Array.isArray(known) ? known.filter((pair) => Array.isArray(pair)) : [];
  if (pairs.length === 0) return [];
  const decisions = [...new Set(pairs.map(([, decision]) => Number(decision)))];
  const calls = pairs.length === 1 ? 'a call that was' : `${pairs.length} calls that were`;
  const links = decisions.flatMap((seq, i) => [
    i === 0 ? '' : ', ',
    h('a', { href: entryAddress(seq) }, `entry ${seq}`),
  ]);
  return [` without ${calls} released to the same caller before, in the decision of `, ...links];
}

/** An entry of an erasure that is about this decision: its content went, or was asked for and stays. */
function erasureText(said: (name: string) => string): string {
  const asked = `${said('by')} (${said('role')}), ${wordsOf(said('basis'))}`;
  return said('action') === 'refuse'
    ? `content was not erased, ${wordsOf(said('why'))}: asked for by ${asked}`
    : `content was erased by ${asked}`;
}
