/**
 * One line of a report: a decision that was made elsewhere. What it may say, with every bound, and what is sealed of it.
 * Request and answer are kept as they are written in the line, not as parsing would write them again.
 */
import { z } from 'zod';
import { HoldpointError } from '../core/errors.ts';
import type { Facts, RequestFacts } from '../core/facts.ts';
import { encodeHttpMessage, removedValue } from '../core/http-message.ts';
import { protocolNames } from '../core/protocol-name.ts';
import { wrongInput } from '../core/wrong-input.ts';
import type { JsonObject } from '../ledger/canonical.ts';
import { protocolOf } from '../provider/index.ts';
import type { ResponseReading } from '../provider/protocol.ts';
import { withoutAnswerSecrets, withoutRequestSecrets } from '../provider/reading/secret-members.ts';
import { readReportedAnswer, readReportedRequest } from '../provider/reported.ts';
import { readJson } from '../provider/wire/json.ts';
import { sourcesAt } from '../provider/wire/source-at-path.ts';

/** As a header field can carry it: these are names that workloads give in headers, too. */
const nameText = z
  .string()
  .trim()
  .regex(/^[\x20-\x7e]{1,256}$/, 'must be 1 to 256 printable ASCII characters');

/** What became of it there, in the words of this format; a closed set. */
export const reportedOutcomes = ['allowed', 'denied', 'amended', 'failed', 'unknown'] as const;

export const reportLineSchema = z
  .strictObject({
    id: nameText.describe('Your name for the decision: the same line sent again is not sealed again.'),
    at: z.iso.datetime().describe('When it was decided, UTC.'),
    decider: nameText.describe(
      'Who or what decided: a person, a program. It is sealed for good, as reviewers are.',
    ),
    outcome: z.enum(reportedOutcomes).describe('What became of it there.'),
    provider: z
      .enum(protocolNames)
      .optional()
      .describe('The API family that request and answer are written in; with it goes `path`.'),
    path: z
      .string()
      .regex(/^\/[\x21-\x7e]{0,1023}$/, 'must be a path such as /v1/chat/completions')
      .optional()
      .describe('Where the request went, such as /v1/chat/completions.'),
    operation: z
      .string()
      .regex(
        /^[a-z0-9._-]{1,64}$/,
        'must be 1 to 64 lower-case letters, digits, dots, dashes and underscores',
      )
      .optional()
      .describe('What was asked for, where no provider is named.'),
    model: nameText.optional().describe('Where request and answer do not say it.'),
    request: z.unknown().describe('What was asked, any JSON; with a provider, the body of its API.'),
    answer: z.unknown().optional().describe('What was answered, likewise; absent where nothing was.'),
    status: z.int().min(100).max(599).optional().describe("The answer's HTTP status; 200 when absent."),
    workload: nameText.optional(),
    subject: nameText
      .optional()
      .describe('The data subject; sealed as a fingerprint, erased with the content.'),
    purpose: nameText.optional(),
    session: nameText.optional(),
    class: nameText.optional().describe('What kind of decision it is to you.'),
  })
  .superRefine((line, context) => {
    const refuse = (path: string, message: string): void =>
      context.addIssue({ code: 'custom', path: [path], message });
    if (line.request === undefined) refuse('request', 'is missing');
    if ((line.provider === undefined) !== (line.path === undefined))
      refuse('path', 'goes with provider: give both or neither');
    if (line.provider !== undefined && line.operation !== undefined)
      refuse('operation', 'follows from provider and path; remove it');
    if (line.status !== undefined && line.answer === undefined) refuse('status', 'goes with an answer');
  })
  .meta({ id: 'ReportedDecision', description: 'One decision that was made elsewhere, one line of NDJSON.' });

export interface Report {
  readonly id: string;
  /** The leaf's `reported`, without who reported. */
  readonly told: Readonly<Record<'at' | 'decider' | 'id' | 'outcome', string>> & { readonly class?: string };
  readonly facts: Facts;
  readonly requestDefects: readonly string[];
  readonly request: StoredMessage;
  /** Null where nothing was answered. */
  readonly answer: (StoredMessage & { readonly reading: ResponseReading }) | null;
}

export interface StoredMessage {
  /** The part's plaintext, credentials taken out. */
  readonly message: Buffer;
  /** What the line says of it beside that, as members of its leaf. */
  readonly beside: Readonly<Record<string, string>>;
  /** Of the body as it was reported. */
  readonly bytes: number;
  readonly removed: number;
}

type Line = z.output<typeof reportLineSchema>;
const contentType = ['content-type', 'application/json'];

/** Reads one line. Throws `invalid_argument` with what is wrong with it. */
export function readReport(bytes: Buffer): Report {
  const { value, defect } = readJson(bytes, 'the line');
  if (defect !== '') throw new HoldpointError('invalid_argument', `${defect}.`, oneObject);
  const parsed = reportLineSchema.safeParse(value);
  if (!parsed.success)
    throw new HoldpointError(
      'invalid_argument',
      wrongInput(parsed.error),
      'See ReportedDecision in /openapi.json.',
    );
  const line = parsed.data;
  const text = bytes.toString('utf8');
  const call = callOf(line);
  const body = sourceOf(text, 'request');
  const reading = readReportedRequest(call, body);
  const request: RequestFacts = {
    ...{ ...call, method, headers: {} },
    ...reading.facts,
    model: reading.facts.model || (line.model ?? ''),
    workload: line.workload ?? '',
    subject: line.subject ?? '',
    purpose: line.purpose ?? '',
    session: line.session ?? '',
  };
  const answer = line.answer === undefined ? null : answerOf(line, call, sourceOf(text, 'answer'));
  const facts = { request };
  const { id, decider, outcome } = line;
  const at = new Date(line.at).toISOString();
  return {
    id,
    told: { at, decider, id, outcome, ...(line.class === undefined ? {} : { class: line.class }) },
    facts: answer === null ? facts : { ...facts, response: answer.reading.facts },
    requestDefects: reading.defects,
    request: {
      ...requestMessage(line, call.path, body),
      beside: { ...besideOf(call), ...modelOf(line, reading) },
    },
    answer,
  };
}

const oneObject = 'Each line is one JSON object, in UTF-8, without duplicate keys.';
/** In place of HTTP's: nothing of this was a call that came by here. */
const method = 'REPORT';

function callOf({ provider, path, operation }: Line) {
  if (provider === undefined || path === undefined)
    return { provider: '', operation: operation ?? 'unknown', path: '' };
  const below = path.split('?', 1)[0] ?? '';
  return { provider, operation: protocolOf(provider).operationOf('POST', below), path: below };
}

/** Which API it is written in; of none, what was asked for. */
function besideOf({ provider, operation }: ReturnType<typeof callOf>): Readonly<Record<string, string>> {
  return provider === '' ? { provider, operation } : { provider };
}

/** The model that the line names where what it reports does not. */
function modelOf({ model = '' }: Line, { facts }: { readonly facts: { readonly model: string } }) {
  return facts.model === '' ? { model } : {};
}

/** How a member of the line is written. */
function sourceOf(text: string, name: 'request' | 'answer'): Buffer {
  return Buffer.from(sourcesAt(text, [name]).get('') ?? 'null');
}

function requestMessage(line: Line, path: string, body: Buffer): Omit<StoredMessage, 'beside'> {
  const headers = [...contentType];
  for (const name of ['workload', 'subject', 'purpose', 'session'] as const) {
    const value = line[name];
    if (value !== undefined) headers.push(`holdpoint-${name}`, value);
  }
  const safe = withoutRequestSecrets(path, body, removedValue);
  const startLine = `${method} ${path || '/'} HTTP/1.1`;
  const message = encodeHttpMessage({ startLine, headers, body: safe.bytes });
  return { message, bytes: body.length, removed: safe.removed };
}

function answerOf(line: Line, call: ReturnType<typeof callOf>, body: Buffer) {
  const status = line.status ?? 200;
  const reading = readReportedAnswer(call, status, body);
  const safe = withoutAnswerSecrets(call.path, body, removedValue);
  const startLine = `HTTP/1.1 ${status} reported`;
  const message = encodeHttpMessage({ startLine, headers: contentType, body: safe.bytes });
  const facts = { ...reading.facts, model: reading.facts.model || (line.model ?? '') };
  const beside = modelOf(line, reading);
  return { message, beside, bytes: body.length, removed: safe.removed, reading: { ...reading, facts } };
}

/** What the leaf says of it. */
export function toldBy(report: Report, by: string): JsonObject {
  return { ...report.told, by };
}
