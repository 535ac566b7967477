/**
 * Bodies that carry many exchanges: a batch of requests, a file of answers. Every line is judged as if it had come
 * alone, the body as a whole by the strictest of them, and every line is sealed as a decision of its own.
 */
import type { Facts } from '../core/facts.ts';
import { countGarbage } from '../core/garbage.ts';
import type { JsonObject } from '../ledger/canonical.ts';
import type { Draft, Sealed } from '../ledger/sealer.ts';
import type { Judgement, Match, Policy } from '../policy/policy.ts';
import { withGateway } from '../provider/asked/gateway.ts';
import type { BatchRequest, BatchResult } from '../provider/protocol.ts';
import type { Results } from './answer.ts';
import { bodyOf } from './body.ts';
import type { Call } from './call.ts';
import type { House } from './house.ts';
import { judge, passed } from './judge.ts';
import { requestDraft, responseDraft } from './record.ts';
import { storedAnswer, storedRequest, storedWhole } from './stored-body.ts';

export interface Lines {
  /** One for each line, in order. */
  readonly judgements: readonly Judgement[];
  readonly defects: readonly string[];
}

/** A body that carries nothing but itself. */
export const noLines: Lines = { judgements: [], defects: [] };

/** Lines that are judged, or sealed and not yet durable, before other calls have their turn. */
const linesPerTurn = 64;
/** Of lines that are sealed and not yet durable; a single one may be larger. What outlives a turn V8 makes room for. */
const bytesPerTurn = 256 * 1024;
const defectsMax = 16;
const customIdCharactersMax = 512;
const strictness = ['pass', 'flag', 'hold', 'deny'] as const;

/** Judges every request of a body. */
export async function judgeRequests(call: Call, policy: Policy): Promise<Lines> {
  if (call.batch === undefined) return noLines;
  return judgeEach(call.batch(), requestBytes, (line) => {
    const { facts, defects } = readRequest(call, line);
    const found = line.defect === '' ? defects : [line.defect, ...defects];
    return { judgement: judge(policy, 'request', { request: facts }, found), defects: found };
  });
}

/** Judges every answer of a body; what cannot be read holds it. */
export async function judgeAnswers(
  call: Call,
  batch: (() => Results) | undefined,
  policy: Policy,
): Promise<Lines> {
  if (batch === undefined) return noLines;
  return judgeEach(batch(), responseBytes, (line) => {
    const { facts, defects } = readAnswer(call, line);
    const found = line.defect === '' ? defects : [line.defect, ...defects];
    return { judgement: judge(policy, 'response', facts, found), defects: found };
  });
}

async function judgeEach<Line>(
  lines: Iterable<Line> | AsyncIterable<Line>,
  bytesOf: (line: Line) => number,
  judgeOne: (line: Line) => { judgement: Judgement; defects: readonly string[] },
): Promise<Lines> {
  const judgements: Judgement[] = [];
  const found: string[] = [];
  const count = countGarbage();
  for await (const line of lines) {
    const { judgement, defects } = judgeOne(line);
    judgements.push(judgement);
    for (const defect of defects)
      if (found.length < defectsMax) found.push(`line ${judgements.length}: ${defect}`);
    count(bytesOf(line));
    if (judgements.length % linesPerTurn === 0) await turn();
  }
  return { judgements, defects: found };
}

/** The judgement over all: the strictest action, and every rule that matched anywhere, once. */
export function strictestOf(own: Judgement, lines: Lines): Judgement {
  if (lines.judgements.length === 0) return own;
  const matches = new Map<string, Match>();
  let action = own.action;
  for (const judgement of [own, ...lines.judgements]) {
    if (strictness.indexOf(judgement.action) > strictness.indexOf(action)) action = judgement.action;
    for (const match of judgement.matches) {
      const known = matches.get(match.rule);
      // A rule that failed on one line holds there, whatever it does on the others.
      if (known === undefined || strictness.indexOf(match.action) > strictness.indexOf(known.action))
        matches.set(match.rule, match);
    }
  }
  return { action, matches: [...matches.values()] };
}

/** Seals every request of a body as carried by the decision `carrier`; resolves when all are durable. */
export async function sealRequests(
  call: Call,
  lines: Lines,
  carrier: number,
  policy: Policy,
  house: House,
): Promise<void> {
  if (call.batch === undefined) return;
  await sealEach(call.batch(), lines, house, requestBytes, (line, judgement, place) => {
    const { facts } = readRequest(call, line);
    const alone = { ...call, operation: line.operation, method: 'POST', target: line.path, facts };
    const headers = customIdHeader(line.customId);
    const stored = storedRequest(line.path, headers, line.request, 0);
    const message = { ...alone, headers, body: bodyOf(line.request), stored };
    const draft = requestDraft(message, judgement, policy, house.fingerprint);
    return [house.ledger.seal(carriedBy(draft, carrier, place))];
  });
}

/** Seals every answer of a body as carried by the decision `carrier`; resolves when all are durable. */
export async function sealAnswers(
  call: Call,
  batch: (() => Results) | undefined,
  lines: Lines,
  carrier: number,
  policy: Policy,
  house: House,
): Promise<void> {
  if (batch === undefined) return;
  await sealEach(batch(), lines, house, responseBytes, (line, judgement, place) => {
    const headers = customIdHeader(line.customId);
    const told = { headers, body: bodyOf(empty), stored: storedWhole(headers, empty) };
    const asked = { ...call, operation: line.operation, ...told };
    const request = requestDraft(asked, passed, policy, house.fingerprint);
    const sealed = house.ledger.seal(carriedBy(request, carrier, place));
    const { response: facts } = readAnswer(call, line).facts;
    const answer = house.ledger.seal(
      responseDraft(sealed.seq, {
        status: line.status,
        statusText: '',
        headers: [],
        stored: storedAnswer(call.facts.path, [], line.response, null, 0),
        bytes: line.response.length,
        sha256: null,
        facts,
        result: line.status === 0 || line.status >= 400 ? 'error' : 'ok',
        form: null,
        judgement,
        policy,
        elapsedUs: 0,
      }),
    );
    return [sealed, answer];
  });
}

async function sealEach<Line>(
  lines: Iterable<Line> | AsyncIterable<Line>,
  { judgements }: Lines,
  house: House,
  bytesOf: (line: Line) => number,
  sealOne: (line: Line, judgement: Judgement, place: number) => readonly [Sealed, ...Sealed[]],
): Promise<void> {
  let place = 0;
  let bytes = 0;
  /** One promise for all that share a commit. A later commit says nothing of an earlier one that failed. */
  let commits = new Set<Promise<void>>();
  const count = countGarbage();
  for await (const line of lines) {
    const sealed = sealOne(line, judgements[place] ?? passed, place + 1);
    house.ledger.settle(sealed[0].seq, 'carried');
    for (const { durable } of sealed) commits.add(durable);
    place += 1;
    bytes += bytesOf(line);
    if (place % linesPerTurn !== 0 && bytes < bytesPerTurn) continue;
    await Promise.all(commits);
    commits = new Set();
    // Nothing of the lines is needed now.
    count(bytes);
    bytes = 0;
  }
  await Promise.all(commits);
}

function carriedBy(draft: Draft, batch: number, line: number): Draft {
  const data: JsonObject = { ...draft.data, batch, line };
  return { ...draft, data, refs: [batch] };
}

function readRequest(call: Call, line: BatchRequest) {
  const head = { path: line.path, contentType: 'application/json' };
  const read = call.upstream.protocol.readRequest(line.operation, line.request, head);
  const reading = withGateway(read, call.headers);
  const { batch, batchFiles: unjudgedFiles } = reading;
  const facts = { ...call.facts, operation: line.operation, path: line.path, ...reading.facts };
  const defects = batch === undefined ? reading.defects : [...reading.defects, 'a line is a batch itself'];
  // Nobody looks up what a line runs besides: it counts as never judged.
  return { facts: unjudgedFiles === undefined ? facts : { ...facts, unjudgedFiles }, defects };
}

function readAnswer(call: Call, line: BatchResult) {
  const operation = line.status === 0 ? 'unknown' : line.operation;
  const reading = call.upstream.protocol.readResponse(operation, line.status, line.response);
  const facts = {
    request: { ...call.facts, operation },
    response: reading.facts,
  } satisfies Facts;
  return { facts, defects: reading.defects };
}

const empty = Buffer.alloc(0);
const requestBytes = ({ request }: BatchRequest): number => request.length;
const responseBytes = ({ response }: BatchResult): number => response.length;

/** The workload's own name for the line, as it may stand in a field of a stored message. */
function customIdHeader(customId: string): readonly string[] {
  const text = customId.isWellFormed() ? customId : customId.toWellFormed();
  return ['holdpoint-custom-id', encodeURIComponent(text).slice(0, customIdCharactersMax)];
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
