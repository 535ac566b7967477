/**
 * What is told outside, as CloudEvents 1.0 in structured mode: that something happened to which hold, by which rule,
 * how severe, until when, and a link. Never content, and nothing that a workload said.
 */
import type { Hold } from '../hold/record.ts';

export const noticeTypes = [
  'holdpoint.hold.opened',
  'holdpoint.hold.reminder',
  'holdpoint.hold.ruled',
  'holdpoint.hold.expired',
  'holdpoint.hold.glass_broken',
  'holdpoint.hold.review_overdue',
  'holdpoint.test',
] as const;
export type NoticeType = (typeof noticeTypes)[number];

export const severities = ['low', 'medium', 'high', 'critical'] as const;
export type NoticeSeverity = (typeof severities)[number];

/** One thing that happened, before it is addressed to anybody. */
export interface Notice {
  /** The same for the same happening, however often it is told: receivers drop what they know. */
  readonly id: string;
  readonly type: NoticeType;
  readonly atMs: number;
  readonly severity: NoticeSeverity;
  /** Null for what is about no hold. */
  readonly hold: NoticeHold | null;
}

export interface NoticeHold {
  readonly id: string;
  readonly decisionId: string;
  readonly phase: 'request' | 'response';
  readonly state: string;
  readonly rules: readonly { readonly id: string; readonly title: string }[];
  readonly policyVersion: string;
  readonly openedAt: string;
  readonly expiresAt: string;
}

/** A CloudEvent in JSON, https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/json-format.md */
export interface CloudEvent {
  readonly specversion: '1.0';
  readonly id: string;
  /** The ledger's origin. */
  readonly source: string;
  readonly type: NoticeType;
  readonly time: string;
  readonly datacontenttype: 'application/json';
  /** The hold's id; absent for what is about none. */
  readonly subject?: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** What a person did past the approvals that were needed: whoever is told of such a thing is told of all of it. */
const alerts: readonly NoticeType[] = ['holdpoint.hold.glass_broken', 'holdpoint.hold.review_overdue'];
export const isAlert = (type: NoticeType): boolean => alerts.includes(type);

const rulesToldMax = 8;
const titleCharsMax = 200;

/** What is told of a hold; its rules and terms only. */
export function noticeOf(type: NoticeType, hold: Hold, decisionId: string, atMs: number, mark = ''): Notice {
  const kind = type.slice(type.lastIndexOf('.') + 1);
  return {
    id: `${hold.id}.${kind}${mark === '' ? '' : `.${mark}`}`,
    type,
    atMs,
    severity: isAlert(type) ? 'critical' : worst(hold.rules.map(({ severity }) => severity)),
    hold: {
      id: hold.id,
      decisionId,
      phase: hold.phase,
      state: hold.state.status,
      rules: hold.rules
        .slice(0, rulesToldMax)
        .map(({ id, title }) => ({ id, title: title.slice(0, titleCharsMax) })),
      policyVersion: hold.policyVersion,
      openedAt: new Date(hold.openedAtMs).toISOString(),
      expiresAt: new Date(hold.state.terms.expiresAtMs).toISOString(),
    },
  };
}

function worst(given: readonly NoticeSeverity[]): NoticeSeverity {
  return severities[Math.max(...given.map((one) => severities.indexOf(one)), -1)] ?? 'medium';
}

/** @param consoleUrl where reviewers reach the console, without a slash at its end */
export function linkOf(notice: Notice, consoleUrl: string): string {
  return notice.hold === null ? `${consoleUrl}/` : `${consoleUrl}/#/holds/${notice.hold.id}`;
}

export function cloudEventOf(notice: Notice, source: string, consoleUrl: string): CloudEvent {
  const { hold } = notice;
  return {
    specversion: '1.0',
    id: notice.id,
    source,
    type: notice.type,
    time: new Date(notice.atMs).toISOString(),
    datacontenttype: 'application/json',
    ...(hold === null ? {} : { subject: hold.id }),
    data: { severity: notice.severity, link: linkOf(notice, consoleUrl), ...(hold === null ? {} : { hold }) },
  };
}

const said: Readonly<Record<NoticeType, string>> = {
  'holdpoint.hold.opened': 'A call is held and waits for a ruling',
  'holdpoint.hold.reminder': 'A held call expires soon',
  'holdpoint.hold.ruled': 'A held call was ruled on',
  'holdpoint.hold.expired': 'A held call expired; nobody ruled',
  'holdpoint.hold.glass_broken': 'ALERT: one person alone released a held call (break-glass); review it',
  'holdpoint.hold.review_overdue': 'Nobody has reviewed in time what one person alone released',
  'holdpoint.test': 'A test of this receiver',
};

/** The headline for people, one line. */
export function headlineOf({ type, hold }: Notice): string {
  const ruled =
    type === 'holdpoint.hold.ruled' && hold !== null ? `A held call was ${hold.state}` : said[type];
  return hold === null ? ruled : `${ruled}: ${hold.id}`;
}

/** Names and values for people, in reading order. */
export function factsOf({ severity, hold }: Notice): readonly (readonly [string, string])[] {
  if (hold === null) return [];
  return [
    ['Severity', severity],
    ...hold.rules.map(({ id, title }) => ['Rule', `${id}: ${title}`] as const),
    ['Held', hold.phase],
    ['State', hold.state],
    ['Expires', hold.expiresAt],
    ['Decision', hold.decisionId],
  ];
}
