/**
 * Models of any maker behind one path of their host's: Cloudflare's Workers AI, IBM's watsonx.ai, Replicate, Alibaba's Model
 * Studio, Oracle's OCI, Snowflake's Cortex and its agents, Perplexity's later answers, Hugging Face's own inference. Bodies
 * are those of a chat or of a text, often within a member of the host's; answers are those of OpenAI, or have texts and calls
 * in members of their own, so that whatever asks for a tool is found wherever it stands
 * (https://developers.cloudflare.com/api/resources/ai/methods/run/,
 * https://cloud.ibm.com/apidocs/watsonx-ai#text-chat, https://replicate.com/docs/reference/http,
 * https://help.aliyun.com/zh/model-studio/qwen-api-via-dashscope,
 * https://docs.snowflake.com/en/user-guide/snowflake-cortex/cortex-agents-run). Pure; hostile bytes in, facts and defects out.
 */

import { alsoAsking } from '../asked/insteads.ts';
import { readChatRequest } from '../openai/chat.ts';
import { amendRecords, readEitherUsage, recordsOf } from '../openai/records.ts';
import { findWithin, withoutHanded } from '../openai/records-find.ts';
import { readTextRequest, readTextTools } from '../openai/text-requests.ts';
import type { Amendment, RequestHead, RequestReading, ResponseReading } from '../protocol.ts';
import { respelledIn } from '../reading/answer-spelling.ts';
import { asksTwice } from '../reading/asked-twice.ts';
import { isForm } from '../reading/multipart.ts';
import { note, openRunningText, textWithin, tokenIdsIn, unreadRequest } from '../reading/reading.ts';
import { isAbsent, isRecord, type JsonRecord, readJson, textOf } from '../wire/json.ts';
import { mayBeJson } from '../wire/media-signature.ts';
import { amendAny, readAnyAnswer } from './served-models.ts';

/** Members that a host puts the model's own request in. */
const wrappers = ['input', 'request', 'chatRequest', 'parameters'] as const;
/** What hosts name a model by; Oracle's stands in a member of its own. */
const modelMembers = ['model', 'model_id', 'version', 'modelId', 'endpointId'] as const;

/** Every part of the request that may say something of its own, the whole first. */
function partsOf(body: JsonRecord): readonly JsonRecord[] {
  const inner = [...wrappers, 'servingMode'].map((name) => body[name]);
  return [body, ...inner.filter(isRecord)];
}

function namesIn(parts: readonly JsonRecord[]): readonly string[] {
  const named = parts.flatMap((part) => modelMembers.map((name) => textOf(part[name])));
  // Which of its models an agent of Snowflake's thinks with.
  const { models } = parts[0] ?? {};
  return [...named, isRecord(models) ? textOf(models.orchestration) : ''].filter((name) => name !== '');
}

/** The tools of the request, which may stand beside what they are offered for. */
function toolsIn(parts: readonly JsonRecord[]): unknown {
  return parts.find(({ tools }) => !isAbsent(tools))?.tools;
}

/** A chat as OpenAI's, whatever it stands in; null for a request that is none. */
function chatIn(parts: readonly JsonRecord[]): JsonRecord | null {
  const chat = parts.find(({ messages }) => Array.isArray(messages));
  if (chat === undefined) return null;
  // A list of them is what is fallen back to.
  const { models, ...own } = chat;
  const tools = toolsIn(parts);
  return {
    ...own,
    ...(isAbsent(models) || isRecord(models) ? {} : { models }),
    ...(isAbsent(tools) ? {} : { tools }),
  };
}

/** Where token ids may stand for words. Pictures and sound are lists of numbers too. */
const promptMembers = ['prompt', 'input', 'inputs', 'input_ids', 'token_ids'] as const;

function tokensIn(parts: readonly JsonRecord[]): number {
  const counts = parts.flatMap((part) => promptMembers.map((name) => tokenIdsIn(part[name])));
  return counts.reduce((sum, count) => sum + count, 0);
}

const everyText = { system: [], text: null };

function factsOf(parts: readonly JsonRecord[], bytes: Buffer, head: RequestHead): RequestReading {
  const whole = readTextRequest(bytes, head, everyText);
  const defects = [...whole.defects];
  const tools = readTextTools(toolsIn(parts), defects);
  const tokenIds = tokensIn(parts);
  const facts = { ...whole.facts, tools, ...(tokenIds === 0 ? {} : { tokenIds }) };
  return { facts, defects };
}

function chatFacts(chat: JsonRecord, parts: readonly JsonRecord[], bytes: Buffer): RequestReading {
  const reading = readChatRequest(Buffer.from(JSON.stringify(chat)));
  const { value, defect } = readJson(bytes, 'the request body');
  const defects = [...reading.defects];
  // What is written twice is lost where the chat is taken out.
  note(defects, defect);
  if (parts.filter(({ messages }) => !isAbsent(messages)).length > 1 || asksTwice(chat))
    note(defects, 'the request asks for two things');
  const isWhole = Array.isArray(parts[0]?.messages);
  return isWhole
    ? { ...reading, defects }
    : { facts: { ...reading.facts, text: textWithin(value) }, defects };
}

/** Reads what is asked of a hosted model; pictures and sound ask for what nobody here reads. */
export function readHostedRequest(bytes: Buffer, head: RequestHead): RequestReading {
  if (isForm(head.contentType)) return readTextRequest(bytes, head, everyText);
  if (bytes.length === 0 || !mayBeJson(bytes)) return unreadRequest('');
  const { value } = readJson(bytes, 'the request body');
  const parts = partsOf(isRecord(value) ? value : {});
  const chat = chatIn(parts);
  const { facts, defects } = chat === null ? factsOf(parts, bytes, head) : chatFacts(chat, parts, bytes);
  const [model = '', ...others] = [facts.model, ...namesIn(parts)].filter((name) => name !== '');
  const stream = facts.stream || parts.some((part) => part.stream === true);
  return { facts: alsoAsking({ ...facts, model, stream }, others), defects };
}

/** Pictures and sound within JSON. */
const encoded: ReadonlySet<string> = new Set(['image', 'images', 'audio', 'b64_json']);

function withoutMedia(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutMedia);
  if (!isRecord(value)) return value;
  const kept = Object.entries(value).filter(([name]) => !encoded.has(name));
  return Object.fromEntries(kept.map(([name, member]) => [name, withoutMedia(member)]));
}

/** Every text but what a call has in it, which a reviewer may change. Replicate's clients put the pieces of its output together. */
function textBesideCalls(answer: JsonRecord): string {
  const running = openRunningText();
  const pieces: readonly unknown[] = Array.isArray(answer.output) ? answer.output : [];
  running.add(allBesideCalls(answer), pieces.map(textOf).join(''));
  return running.text();
}

function allBesideCalls(answer: JsonRecord): string {
  return textWithin(withoutMedia(withoutHanded(answer, findWithin)));
}

/** True where a chat has calls beside its messages' own members, as Snowflake's content has. */
export function hasListedContent(value: JsonRecord): boolean {
  const choices: readonly unknown[] = Array.isArray(value.choices) ? value.choices : [];
  return choices.some((choice) => {
    const said = isRecord(choice) ? (choice.message ?? choice.delta) : null;
    return isRecord(said) && !isAbsent(said.content_list);
  });
}

/** True for what a chat or a completion of OpenAI's answers, or a piece of it. */
function isOpenais(value: unknown): value is JsonRecord {
  return isRecord(value) && Array.isArray(value.choices) && !hasListedContent(value);
}

/** Members that a host puts the model's own answer in: Cloudflare's, Oracle's. */
const answerWrappers = ['result', 'chatResponse'] as const;

/** What the answer cost and who gave it, where the host's wrapper has that. */
function wrappedFacts(answer: JsonRecord) {
  const inner = answerWrappers.map((name) => answer[name]).find(isRecord);
  const { usage } = [answer, inner].find((part) => isRecord(part?.usage)) ?? {};
  return { model: textOf(answer.model) || textOf(answer.modelId), usage: readEitherUsage(usage) };
}

/** Reads a whole answer of status below 400. */
export function readHostedAnswer(status: number, bytes: Buffer): ResponseReading {
  const { value, defect } = readJson(bytes, 'the answer');
  if (value === undefined || isOpenais(value)) return readAnyAnswer(status, bytes);
  // A list of answers, or a text, is read as an answer with that in it.
  const answer = isRecord(value) ? value : { list: value };
  const doubts = [defect, respelledIn(answer)].filter((doubt) => doubt !== '');
  const reading = recordsOf(status, answer, doubts, findWithin);
  return { ...reading, facts: { ...reading.facts, ...wrappedFacts(answer), text: textBesideCalls(answer) } };
}

/** The answer with the amendment applied, in its own form. */
export function amendHosted(original: Buffer, streaming: boolean, amendment: Amendment): Buffer {
  const { value } = readJson(original, 'the answer');
  const isOwn = !streaming && !isOpenais(value);
  if (isOwn) return amendRecords(original, streaming, amendment, findWithin);
  return amendAny(original, streaming, amendment);
}
