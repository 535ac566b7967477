/**
 * What servers of models offer beside OpenAI's API: `/invocations` of vLLM and Databricks, which takes the body of any
 * of their operations and answers as that one does (https://docs.vllm.ai/en/latest/serving/openai_compatible_server),
 * and the `/generate` of vLLM, SGLang and Text Generation Inference, which completes a text and calls no tools. Pure; hostile
 * bytes in, facts and defects out.
 */
import { eventsOf, unamendable } from '../amending/amendment.ts';
import { readChatRequest, readChatResponse } from '../openai/chat.ts';
import { amendChat } from '../openai/chat-amend.ts';
import { createChatStreamReader } from '../openai/chat-stream.ts';
import { amendRecords, readRecords } from '../openai/records.ts';
import { findWithin } from '../openai/records-find.ts';
import { createRecordsStreamReader } from '../openai/records-stream.ts';
import { readResponsesRequest } from '../openai/responses.ts';
import { readTextRequest } from '../openai/text-requests.ts';
import type { Amendment, RequestHead, RequestReading, ResponseReading } from '../protocol.ts';
import { asksTwice } from '../reading/asked-twice.ts';
import { note, openRunningText, textWithin, unreadRequest, unreadResponse } from '../reading/reading.ts';
import type { StreamReader } from '../reading/stream.ts';
import { isAbsent, isRecord, type JsonRecord, readJson, textOf } from '../wire/json.ts';
import { mayBeJson } from '../wire/media-signature.ts';
import { amendCompletion, createCompletionStreamReader, readCompletion } from './completions-by-shape.ts';
import { saysBesideChoices } from './two-forms.ts';

const hasItems = ({ input }: JsonRecord): boolean => Array.isArray(input) && input.some(isRecord);

/** Reads a request of any of the server's operations. */
export function readAnyRequest(bytes: Buffer, head: RequestHead): RequestReading {
  const { value } = readJson(bytes, 'the request body');
  const body = isRecord(value) ? value : {};
  const isChat = !isAbsent(body.messages);
  if (!isChat && !hasItems(body)) return readTextRequest(bytes, head, promptMembers);
  const reading = isChat ? readChatRequest(bytes) : readResponsesRequest(bytes);
  const defects = [...reading.defects];
  // Text Generation Inference takes `inputs` first, others the messages.
  if (asksTwice(body)) note(defects, 'the request asks for two things');
  return { ...reading, defects };
}

/** Words, or the token ids in their place. Of messages vLLM makes vectors too. */
const promptMembers = {
  system: [],
  text: [
    'messages',
    'prompt',
    'input',
    'inputs',
    'text',
    'text_1',
    'text_2',
    // What is scored, in each form that vLLM and SGLang have for it.
    'data_1',
    'data_2',
    'queries',
    'items',
    'query',
    'documents',
    'instances',
    'dataframe_records',
    'dataframe_split',
    'content',
    'sentences',
    'texts',
    'values',
    'input_data',
    'question',
    'chat_input',
    'chat_history',
    'lyrics',
    'preview_text',
    'input_ids',
    'token_ids',
  ],
};

/** Reads what is asked of a model by its one route; pictures and sound ask for what nobody here reads. */
export function readGenerateRequest(bytes: Buffer, head: RequestHead): RequestReading {
  if (!mayBeJson(bytes)) return unreadRequest('');
  return readTextRequest(bytes, head, promptMembers);
}

/** True of an answer, or a piece of one, that is a chat's. */
function isChat({ choices }: JsonRecord): boolean {
  const list: readonly unknown[] = Array.isArray(choices) ? choices : [];
  return list.some((choice) => isRecord(choice) && ('message' in choice || 'delta' in choice));
}

/** Reads a whole answer of status below 400. */
export function readAnyAnswer(status: number, bytes: Buffer): ResponseReading {
  const { value } = readJson(bytes, 'the answer');
  if (isRecord(value) && isAbsent(value.choices)) return readRecords(status, bytes, findWithin);
  const isAChat = isRecord(value) && isChat(value);
  const reading = isAChat ? readChatResponse(status, bytes) : readCompletion(status, bytes);
  if (!isRecord(value) || !saysBesideChoices(value)) return reading;
  return { ...reading, defects: [...reading.defects, 'the answer has the forms of two operations'] };
}

/** Opens a reader for one stream; its first event that says anything tells the form, and all others must have it. */
export function createAnyStreamReader(status: number): StreamReader {
  const chat = createChatStreamReader(status);
  const completion = createCompletionStreamReader(status);
  // Items and whatever else has no choices: a call is found wherever it stands.
  const records = createRecordsStreamReader(status, findWithin);
  const defects: string[] = [];
  let chosen: StreamReader | null = null;

  function formOf(value: JsonRecord): StreamReader | null {
    if (!Array.isArray(value.choices)) return isAbsent(value.error) ? records : null;
    if (value.choices.length === 0) return null;
    return isChat(value) ? chat : completion;
  }

  return {
    defects,
    absorbText: (data) => (chosen ?? chat).absorbText(data),
    absorbEmpty: (event) => (chosen ?? chat).absorbEmpty(event),
    absorb(event, value) {
      const form = formOf(value);
      chosen ??= form;
      const isOne = form === null || form === records || !saysBesideChoices(value);
      if (isOne && (form === null || form === chosen)) return (chosen ?? chat).absorb(event, value);
      note(defects, 'the stream has the forms of two operations');
      return 'tool';
    },
    reading() {
      const reading = (chosen ?? chat).reading();
      return { ...reading, defects: [...defects, ...reading.defects] };
    },
  };
}

/** The answer with the amendment applied, in its own form. */
export function amendAny(original: Buffer, streaming: boolean, amendment: Amendment): Buffer {
  const texts = streaming ? eventsOf(original).map(({ data }) => data) : [original.toString('utf8')];
  const values = texts.map((text) => readJson(Buffer.from(text), 'the answer').value).filter(isRecord);
  if (values.some(isChat)) return amendChat(original, streaming, amendment);
  const hasChoices = values.some(({ choices }) => !isAbsent(choices));
  if (hasChoices) return amendCompletion(original, streaming, amendment);
  return amendRecords(original, streaming, amendment, findWithin);
}

/** Reads a whole completion of a text, or a list of them: every text in it. */
export function readGenerated(status: number, bytes: Buffer): ResponseReading {
  const { value, defect } = readJson(bytes, 'the answer');
  const reading = unreadResponse(status, defect);
  return { ...reading, complete: true, facts: { ...reading.facts, text: textWithin(value) } };
}

/** Opens a reader for one stream of such a completion. It has no last event of its own. */
export function createGenerateStreamReader(status: number): StreamReader {
  const defects: string[] = [];
  const running = openRunningText();
  let failed = false;
  return {
    defects,
    absorbText: (data) => (data.trim() === '[DONE]' ? 'end' : null),
    absorbEmpty: () => 'other',
    absorb(event, value) {
      failed ||= event === 'error' || !isAbsent(value.error);
      const said = textWithin(value);
      // Text Generation Inference says all of it again at the end.
      running.add(said, isRecord(value.token) ? textOf(value.token.text) : said);
      if (failed) return 'error';
      return said === '' ? 'other' : 'text';
    },
    reading() {
      const { facts } = unreadResponse(status, '');
      return { facts: { ...facts, text: running.text() }, defects, complete: true, failed };
    },
  };
}

export function amendGenerated(): never {
  throw unamendable('its text does not stand in one place');
}
