/**
 * llama.cpp's own completions, `/completion` and `/infill`
 * (https://github.com/ggml-org/llama.cpp/tree/master/tools/server): whole answers, streams and amendments. Its
 * `/completions` answers so too, where others answer as OpenAI does. It calls no tools. Pure; hostile bytes in,
 * facts and defects out.
 */
import type { UsageFacts } from '../../core/facts.ts';
import {
  confirmAmended,
  parseForRewrite,
  planAmendment,
  rewriteStream,
  unamendable,
} from '../amending/amendment.ts';
import type { Amendment, RequestReading, ResponseReading } from '../protocol.ts';
import { respelledIn } from '../reading/answer-spelling.ts';
import {
  boundedList,
  joined,
  modelName,
  note,
  openRequest,
  scalarParams,
  streamFlag,
  textWithin,
  tokenIdsIn,
  unreadResponse,
  usageAbsent,
  usageSum,
} from '../reading/reading.ts';
import { openEventStream, type StreamEventKind, type StreamReader } from '../reading/stream.ts';
import { countOf, isAbsent, isRecord, type JsonRecord, readJson, textOf } from '../wire/json.ts';

const okStatus = 200;
const promptsMax = 1_000;
const chatMembers = ['choices', 'message', 'delta', 'tool_calls', 'function_call'];

/** Pictures and sound beside a prompt are no text. */
const encoded: ReadonlySet<string> = new Set(['multimodal_data', 'image_data', 'data']);

function words(value: unknown): string {
  if (Array.isArray(value)) return value.map(words).reduce(joined, '');
  if (!isRecord(value)) return textOf(value);
  const kept = Object.entries(value).filter(([name]) => !encoded.has(name));
  return textWithin(Object.fromEntries(kept));
}

/** What the model reads, in the order in which it is given. */
const wordMembers = ['system_prompt', 'input_extra', 'input_prefix', 'prompt', 'input_suffix'] as const;
const paramsElsewhere: ReadonlySet<string> = new Set(['model', 'stream', ...wordMembers]);

/** Reads a request body. An empty one asks for nothing: no defect. */
export function readLlamaRequest(bytes: Buffer): RequestReading {
  const { body, defects, unread } = openRequest(bytes);
  if (body === null) return unread;
  let text = '';
  for (const name of wordMembers) text = joined(text, words(body[name]));
  const facts = {
    model: modelName(body.model, defects),
    stream: streamFlag(body.stream, defects),
    params: scalarParams(body, paramsElsewhere),
    system: words(body.system_prompt),
    messages: text === '' ? [] : [{ role: 'user', text, toolCalls: [] }],
    text,
    tools: [],
  };
  const tokenIds = tokenIdsIn(body.prompt);
  return { facts: tokenIds === 0 ? facts : { ...facts, tokenIds }, defects };
}

/** True for one answer, or one piece of a stream, in this form; a chat in its place is none. */
export function isLlamaAnswer(body: JsonRecord): boolean {
  return typeof body.content === 'string' && chatMembers.every((name) => isAbsent(body[name]));
}

/** Why it stopped, in the words of either generation; '' while it goes on. */
function stopReason(body: JsonRecord): string {
  const type = textOf(body.stop_type);
  if (type !== '' && type !== 'none') return type;
  for (const name of ['eos', 'limit', 'word']) if (body[`stopped_${name}`] === true) return name;
  return body.stop === true ? 'stop' : '';
}

interface Prompted {
  text: string;
  finishReason: string;
  usage: UsageFacts;
}

function usageOf(body: JsonRecord): UsageFacts {
  if (isAbsent(body.tokens_evaluated) && isAbsent(body.tokens_predicted)) return usageAbsent;
  const inputTokens = countOf(body.tokens_evaluated);
  const outputTokens = countOf(body.tokens_predicted);
  return { source: 'provider', inputTokens, outputTokens, totalTokens: inputTokens + outputTokens };
}

/** The facts of an answer to several prompts; the first reason to stop stands for all. */
function factsOf(status: number, model: string, prompted: Iterable<Prompted>) {
  let text = '';
  let finishReason = '';
  let usage = usageAbsent;
  for (const one of prompted) {
    text = joined(text, one.text);
    finishReason ||= one.finishReason;
    usage = usageSum(usage, one.usage);
  }
  return { ...unreadResponse(status, '').facts, model, text, finishReason, usage };
}

/** Reads a whole answer of status below 400: one object, or a list of them where several prompts were given. */
export function readLlamaResponse(status: number, bytes: Buffer): ResponseReading {
  const json = readJson(bytes, 'the answer');
  const defects: string[] = [];
  note(defects, json.defect || respelledIn(json.value));
  const list = Array.isArray(json.value) ? json.value : [json.value];
  const prompted: Prompted[] = [];
  let model = '';
  for (const body of boundedList(list, promptsMax, 'the answer', defects)) {
    if (!isRecord(body) || !isLlamaAnswer(body)) {
      note(defects, 'the answer is no completion');
      continue;
    }
    model ||= textOf(body.model);
    prompted.push({ text: textOf(body.content), finishReason: stopReason(body), usage: usageOf(body) });
  }
  return { facts: factsOf(status, model, prompted), defects, complete: true, failed: false };
}

export interface LlamaStreamReader extends StreamReader {
  /** How many prompts were answered. */
  prompts(): number;
}

/** Opens a reader for one stream. Its last event says that it stopped; there is no `[DONE]`. */
export function createLlamaStreamReader(status: number): LlamaStreamReader {
  const defects: string[] = [];
  const prompted = new Map<number, Prompted>();
  let model = '';
  let failed = false;

  function absorbPiece(piece: JsonRecord): StreamEventKind {
    const index = typeof piece.index === 'number' ? piece.index : 0;
    if (!prompted.has(index) && prompted.size >= promptsMax) {
      note(defects, `more than ${promptsMax} prompts were answered`);
      return 'tool';
    }
    const before = prompted.get(index) ?? { text: '', finishReason: '', usage: usageAbsent };
    const said = textOf(piece.content);
    prompted.set(index, {
      text: before.text + said,
      finishReason: before.finishReason || stopReason(piece),
      usage: piece.stop === true ? usageOf(piece) : before.usage,
    });
    model = textOf(piece.model) || model;
    return said === '' ? 'other' : 'text';
  }

  return {
    defects,
    prompts: () => prompted.size,
    absorbText: (data) => (data.trim() === '[DONE]' ? 'end' : null),
    absorbEmpty: () => 'other',
    absorb(event, piece) {
      if (event === 'error' || !isAbsent(piece.error)) {
        failed = true;
        return 'error';
      }
      if (isLlamaAnswer(piece)) return absorbPiece(piece);
      note(defects, 'an event of the stream is no completion');
      return 'tool';
    },
    reading() {
      const said = [...prompted].sort(([a], [b]) => a - b).map(([, one]) => one);
      const complete = said.length > 0 && said.every((one) => one.finishReason !== '');
      return { facts: factsOf(status, model, said), defects, complete, failed };
    },
  };
}

function readStream(bytes: Buffer): { reading: ResponseReading; prompts: number } {
  const reader = createLlamaStreamReader(okStatus);
  const stream = openEventStream(reader, Math.max(bytes.length, 1));
  stream.push(bytes);
  return { reading: stream.finish().reading, prompts: reader.prompts() };
}

/** The piece with other words; its token ids and probabilities spell the old ones out. */
function pieceWith(piece: JsonRecord, content: string): JsonRecord {
  const spelling = Object.fromEntries(
    ['tokens', 'completion_probabilities'].filter((name) => name in piece).map((name) => [name, []]),
  );
  return { ...piece, content, ...spelling };
}

/** The answer with the amendment applied, in its own form. */
export function amendLlama(original: Buffer, streaming: boolean, amendment: Amendment): Buffer {
  const { text } = amendment;
  const read = streaming ? readStream(original) : null;
  planAmendment(read?.reading ?? readLlamaResponse(okStatus, original), amendment);
  if (text === undefined) return original;
  if (read === null) {
    const body = parseForRewrite(original.toString('utf8'));
    if (!isRecord(body)) throw unamendable('it answers several prompts');
    const amended = Buffer.from(JSON.stringify(pieceWith(body, text)));
    confirmAmended(readLlamaResponse(okStatus, amended), amendment);
    return amended;
  }
  if (read.prompts > 1) throw unamendable('it answers several prompts');
  // The first piece takes the whole text, the others are emptied.
  let left = text;
  const amended = rewriteStream(original, (piece) => {
    const next = pieceWith(piece, left);
    left = '';
    return [next];
  });
  confirmAmended(readStream(amended).reading, amendment);
  return amended;
}
