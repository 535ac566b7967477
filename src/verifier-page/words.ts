/** Entries of a decision in a reader's words. Everything they quote is recorded text, drawn as such. Pure. */
import { isJsonObject, type Json, type JsonObject } from '../ledger/verify/canonical.ts';
import type { StoryEntry } from './stories.ts';

/** One step of a story. */
export interface Step {
  /** What happened, in our words. */
  readonly title: string;
  readonly tone: 'plain' | 'good' | 'bad' | 'wait';
  /** What was recorded about it: a name of ours, a text that is not. */
  readonly facts: readonly (readonly [string, string])[];
}

export function stepOf(entry: StoryEntry): Step {
  const { data } = entry;
  switch (entry.type) {
    case 'request':
      return requestStep(data);
    case 'response':
      return responseStep(data);
    case 'hold':
      return holdStep(data);
    case 'ruling':
      return rulingStep(data);
    case 'delivery':
      return deliveryStep(data);
    case 'recovery':
      return { title: 'Closed after a restart', tone: 'plain', facts: facts({ because: data['reason'] }) };
    case 'access':
      return accessStep(data);
    case '':
      return { title: 'An entry that cannot be read', tone: 'bad', facts: [] };
    default:
      return { title: `Entry of type ${entry.type}`, tone: 'plain', facts: [] };
  }
}

const reviews: Readonly<Record<string, readonly [string, Step['tone']]>> = {
  justified: ['The release by one person alone was reviewed, and found justified', 'good'],
  unjustified: ['The release by one person alone was reviewed, and found unjustified', 'bad'],
};

function accessStep(data: JsonObject): Step {
  const { by, role, action, assignee, step, verdict } = data;
  const who = { by, as: role };
  switch (action) {
    case 'redelivery':
      return { title: 'Handed to a retry once more', tone: 'plain', facts: facts({ ...who, action }) };
    case 'escalation':
      return { title: 'Nobody had ruled: further people may', tone: 'wait', facts: facts({ step }) };
    case 'comment':
      return { title: 'A reviewer said something', tone: 'plain', facts: facts(who) };
    case 'assign':
      return {
        title: assignee === '' ? 'Given back' : assignee === by ? 'Somebody took it' : 'Handed over',
        tone: 'plain',
        facts: facts({ ...who, to: assignee }),
      };
    case 'review': {
      const [title, tone] = (isText(verdict) && Object.hasOwn(reviews, verdict)
        ? reviews[verdict]
        : undefined) ?? ['The release by one person alone was reviewed', 'plain'];
      return { title, tone, facts: facts(who) };
    }
    default:
      return { title: 'Looked at', tone: 'plain', facts: facts({ ...who, action }) };
  }
}

function requestStep(data: JsonObject): Step {
  const report = data['reported'];
  if (report !== undefined) return reportStep(data, isJsonObject(report) ? report : {});
  const verdict = data['verdict'];
  const title =
    verdict === 'deny' ? 'Asked, and denied by rule' : verdict === 'hold' ? 'Asked, and held' : 'Asked';
  return {
    title,
    tone: verdict === 'deny' ? 'bad' : 'plain',
    facts: facts({
      workload: data['workload'],
      model: data['model'],
      provider: data['provider'],
      operation: data['operation'],
      purpose: data['purpose'],
      session: data['session'],
      'rules matched': data['rules'],
      bytes: data['bytes'],
    }),
  };
}

/** No exchange passed here: what the sidecar was told, and by whom. */
function reportStep(data: JsonObject, report: JsonObject): Step {
  return {
    title: 'Reported: made elsewhere, not recorded here',
    tone: 'plain',
    facts: facts({
      'reported by': report['by'],
      'decided by': report['decider'],
      'decided at': report['at'],
      'as they say': report['outcome'],
      'their name for it': report['id'],
      class: report['class'],
      workload: data['workload'],
      model: data['model'],
      operation: data['operation'],
      purpose: data['purpose'],
      session: data['session'],
      'rules would flag': data['rules'],
      bytes: data['bytes'],
    }),
  };
}

function responseStep(data: JsonObject): Step {
  const verdict = data['verdict'];
  const usage = data['usage'];
  return {
    title:
      verdict === 'deny'
        ? 'Answered, and denied by rule'
        : verdict === 'hold'
          ? 'Answered, and held'
          : 'Answered',
    tone: verdict === 'deny' ? 'bad' : 'plain',
    facts: facts({
      status: data['status'],
      model: data['model'],
      result: data['result'],
      finish: data['finish'],
      'tool calls': data['toolCalls'],
      tokens: isJsonObject(usage) ? usage['total'] : undefined,
      'rules matched': data['rules'],
      bytes: data['bytes'],
    }),
  };
}

function holdStep(data: JsonObject): Step {
  const rules = data['rules'];
  const titles = (Array.isArray(rules) ? rules : []).map((rule: Json) =>
    isJsonObject(rule) ? [rule['id'], rule['title']].filter(isText).join(': ') : String(rule),
  );
  return {
    title: data['phase'] === 'request' ? 'The request waited for a person' : 'The answer waited for a person',
    tone: 'wait',
    facts: facts({
      'because of': titles,
      'to be ruled by': data['roles'],
      'approvals needed': data['approvals'],
      until: instantOf(data['expires']),
      'asked by': data['requester'],
      digest: data['digest'],
    }),
  };
}

const rulings: Readonly<Record<string, readonly [string, Step['tone']]>> = {
  release: ['Released', 'good'],
  amend: ['Amended and released', 'good'],
  deny: ['Denied', 'bad'],
  expired: ['Expired: nobody ruled in time', 'bad'],
};

function rulingStep(data: JsonObject): Step {
  const verdict = data['verdict'];
  const [words, tone] = (isText(verdict) && Object.hasOwn(rulings, verdict)
    ? rulings[verdict]
    : undefined) ?? ['Ruled', 'plain'];
  return {
    title: data['final'] === false ? `${words}: one approval of several` : words,
    tone,
    facts: facts({
      by: data['by'],
      called: data['display'],
      as: data['role'],
      'in the stead of': data['inStead'],
      alone: data['breakGlass'] === true ? 'yes, past the approvals that were needed' : undefined,
      digest: data['digest'],
    }),
  };
}

function deliveryStep(data: JsonObject): Step {
  if (data['outcomes'] !== undefined) return { title: 'Closed', tone: 'plain', facts: [] };
  return {
    title: 'Handed to the workload',
    tone: 'good',
    facts: facts({ attempt: data['attempt'], digest: data['digest'] }),
  };
}

function facts(named: Readonly<Record<string, Json | undefined>>): readonly (readonly [string, string])[] {
  return Object.entries(named).flatMap(([name, value]) => {
    const text = textOf(value);
    return text === '' ? [] : [[name, text] as const];
  });
}

function textOf(value: Json | undefined): string {
  if (value === undefined || value === '') return '';
  if (Array.isArray(value)) return value.map(textOf).join(', ');
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

function isText(value: Json | undefined): value is string {
  return typeof value === 'string';
}

/** Milliseconds since the epoch as UTC; '' for what is no instant. */
function instantOf(value: Json | undefined): string {
  const date = new Date(typeof value === 'number' ? value : Number.NaN);
  return Number.isNaN(date.getTime()) ? '' : utcText(date.toISOString());
}

/** `2026-11-22T13:05:09.123Z` as `2026-11-22 13:05:09.123 UTC`. */
export function utcText(at: string): string {
  return /^\d{4}-\d\d-\d\dT[\d:.]+Z$/.test(at) ? `${at.replace('T', ' ').slice(0, -1)} UTC` : at;
}

const outcomeWords: Readonly<Record<string, string>> = {
  open: 'still open',
  delivered: 'delivered',
  denied: 'denied',
  expired: 'expired',
  released_undelivered: 'released, never fetched',
  client_abort: 'caller went away',
  upstream_error: 'provider failed',
  upstream_truncated: 'provider broke off',
  interrupted: 'interrupted',
  ledger_unavailable: 'ledger unavailable',
  carried: 'carried in a batch',
  reported: 'reported, made elsewhere',
};

/** An outcome, or kind of decision, in words. */
export function outcomeText(outcome: string): string {
  return (Object.hasOwn(outcomeWords, outcome) ? outcomeWords[outcome] : undefined) ?? outcome;
}

const units = ['B', 'kB', 'MB', 'GB', 'TB'];

/** `512 B`, `1.5 MB`, `12 GB`. */
export function sizeText(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 || value >= 10 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}

const counting = new Intl.NumberFormat('en');

/** `12,345`. */
export function countText(count: number): string {
  return counting.format(count);
}

/** `1 entry`, `2 entries`. */
export function counted(count: number, one: string, many: string): string {
  return `${countText(count)} ${count === 1 ? one : many}`;
}
