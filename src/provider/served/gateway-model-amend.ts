/** Writes a reviewer's amendment into an answer of Vercel's gateway in the AI SDK's own form, in place. Pure. */
import { confirmCalls } from '../amending/amended-calls.ts';
import {
  type ArgumentsAt,
  objectArguments,
  planAmendment,
  rewriteJson,
  rewriteStream,
  withheld,
} from '../amending/amendment.ts';
import { withoutSaidAgain } from '../amending/said-again.ts';
import type { Amendment, ResponseReading } from '../protocol.ts';
import { openEventStream } from '../reading/stream.ts';
import { isAbsent, isRecord, type JsonRecord, textOf } from '../wire/json.ts';
import { isCallPart, readGatewayAnswer, readGatewayFinish } from './gateway-model.ts';
import { createGatewayStreamReader } from './gateway-model-stream.ts';

const okStatus = 200;

function readStream(bytes: Buffer): ResponseReading {
  const stream = openEventStream(createGatewayStreamReader(okStatus), Math.max(bytes.length, 1));
  stream.push(bytes);
  return stream.finish().reading;
}

const written = (value: unknown): string => JSON.stringify(objectArguments(value));

/** Writes one text in the place of several: the first piece takes all of it. */
function writerOf(text: string): () => string {
  let left = text;
  return () => {
    const next = left;
    left = '';
    return next;
  };
}

/** The provider's own account of the answer says all of it again. */
function withoutOwnAccount(body: JsonRecord): JsonRecord {
  const next: Record<string, unknown> = { ...body };
  if (isRecord(body['response'])) {
    const { body: _own, ...response } = body['response'];
    next['response'] = response;
  }
  if (isRecord(body['providerMetadata'])) {
    const told = Object.entries(body['providerMetadata']);
    next['providerMetadata'] = Object.fromEntries(
      told.map(([name, value]) => [name, isRecord(value) ? withoutSaidAgain(value) : value]),
    );
  }
  return next;
}

/**
 * Why the answer ended, by its calls that are for the caller, met in order: who loops while the model asks for tools would
 * have none to run where all of them are withheld.
 */
function ending() {
  let taken = false;
  let left = false;
  return {
    meet(part: JsonRecord, value: unknown): void {
      if (part['providerExecuted'] === true) return;
      if (value === withheld) taken = true;
      else left = true;
    },
    of(body: JsonRecord): JsonRecord {
      const { finishReason } = body;
      if (!taken || left || readGatewayFinish(finishReason) !== 'tool-calls') return body;
      return { ...body, finishReason: isRecord(finishReason) ? { unified: 'stop' } : 'stop' };
    },
  };
}

/** Ids of the calls that are withheld: what is said of them goes with them. */
function withheldIds(before: ResponseReading, at: ArgumentsAt): ReadonlySet<unknown> {
  const calls = before.facts.toolCalls.filter((_call, place) => at.get(place) === withheld);
  return new Set(calls.map(({ id }) => id));
}

function amendJson(
  original: Buffer,
  before: ResponseReading,
  at: ArgumentsAt,
  text: string | undefined,
): Buffer {
  const without = withheldIds(before, at);
  const nextText = text === undefined ? null : writerOf(text);
  const end = ending();
  return rewriteJson(original, (body) => {
    let place = 0;
    const list: readonly unknown[] = Array.isArray(body['content']) ? body['content'] : [];
    const content = list.flatMap((part) => {
      if (!isRecord(part)) return [part];
      if (part['type'] === 'text' && nextText !== null) return [{ ...part, text: nextText() }];
      if (!isCallPart(part)) return without.has(part['toolCallId']) ? [] : [part];
      const value = at.get(place);
      place += 1;
      end.meet(part, value);
      if (value === withheld) return [];
      return [value === undefined ? part : { ...part, input: written(value) }];
    });
    return { ...end.of(withoutOwnAccount(body)), content };
  });
}

function amendEvents(
  original: Buffer,
  before: ResponseReading,
  at: ArgumentsAt,
  text: string | undefined,
): Buffer {
  const nextText = text === undefined ? null : writerOf(text);
  const byId = new Map(before.facts.toolCalls.map(({ id }, place) => [id, place]));
  const begun = new Set<string>();
  const end = ending();

  function eventWith(event: JsonRecord): readonly JsonRecord[] | null {
    const type = textOf(event['type']);
    // As the provider sent it, before anything was changed.
    if (type === 'raw') return [];
    if (type === 'finish') return [end.of(withoutOwnAccount(event))];
    if (type === 'text-delta' && nextText !== null) {
      // Its reader takes it from `text` where it has none.
      const { delta, text: _told, ...rest } = event;
      return [{ ...rest, [isAbsent(delta) ? 'text' : 'delta']: nextText() }];
    }
    const id = type.startsWith('tool-input-') ? textOf(event['id']) : textOf(event['toolCallId']);
    const place = id === '' ? undefined : byId.get(id);
    const value = place === undefined ? undefined : at.get(place);
    if (type === 'tool-call') end.meet(event, value);
    if (value === undefined) return null;
    if (value === withheld) return [];
    if (type === 'tool-call') return [{ ...event, input: written(value) }];
    if (type !== 'tool-input-delta') return null;
    if (begun.has(id)) return [];
    begun.add(id);
    return [{ ...event, delta: written(value) }];
  }

  return rewriteStream(original, eventWith);
}

/** The answer with the amendment applied, in its own form. */
export function amendGatewayAnswer(original: Buffer, streaming: boolean, amendment: Amendment): Buffer {
  const read = (bytes: Buffer): ResponseReading =>
    streaming ? readStream(bytes) : readGatewayAnswer(okStatus, bytes);
  const before = read(original);
  const at = planAmendment(before, amendment);
  const amended = streaming
    ? amendEvents(original, before, at, amendment.text)
    : amendJson(original, before, at, amendment.text);
  confirmCalls(before, read(amended), at, amendment);
  return amended;
}
