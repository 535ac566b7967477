/**
 * What a Realtime session has told its model since its last answer: the settings in force and the items added, read
 * as the responses API reads the same. Of sound and pictures nothing is kept. Pure.
 */
import { removedValue } from '../../core/http-message.ts';
import { alsoAsking } from '../asked/insteads.ts';
import { readResponsesRequest } from '../openai/responses.ts';
import { transcriptionOf } from '../openai/threads.ts';
import type { RequestBodyFacts } from '../protocol.ts';
import { messagesMax, modelName, note, textWithin } from '../reading/reading.ts';
import { withoutMessageSecrets } from '../reading/secret-members.ts';
import { isAbsent, isRecord, type JsonRecord, textOf } from '../wire/json.ts';
import type { ClientReading } from './dialect.ts';
import {
  heard,
  inForce,
  modelOf,
  noSettings,
  present,
  readUpdate,
  type Settings,
  withoutUpdate,
  withUpdate,
} from './openai-settings.ts';
import { untoldBytesMax } from './reading.ts';

export interface RealtimeSession {
  facts(): RequestBodyFacts;
  model(): string;
  /** A message that may change what the model is told, or make it answer. */
  read(value: JsonRecord): ClientReading;
  /** What the provider says of the session: its settings, what it understood of speech. */
  hear(type: string, value: JsonRecord): void;
  asked(recorded: RequestBodyFacts): void;
  /** The provider refuses the message of that id, wherever it set something. */
  refuse(eventId: string): void;
  /** True when `eventId` names the last message that asked for an answer. */
  wasAskedBy(eventId: string): boolean;
}

interface Told {
  readonly settings: Settings;
  readonly items: readonly JsonRecord[];
  /** Characters of the items. */
  readonly size: number;
}

/** `model` names the model at OpenAI, `deployment` at Azure, which does not heed their case. More than one is a doubt. */
export function modelsIn(target: string): readonly string[] {
  const at = target.indexOf('?');
  const query = [...new URLSearchParams(at === -1 ? '' : target.slice(at))];
  const named = ['model', 'deployment'].flatMap((own) =>
    query.filter(([name]) => name.toLowerCase() === own).map(([, value]) => value),
  );
  return [...new Set(named)];
}

function withItem(item: JsonRecord): (told: Told) => Told {
  const kept = withoutMedia(item);
  return (told) => ({ ...told, items: [...told.items, kept], size: told.size + sizeOf(kept) });
}

const sizeOf = (item: JsonRecord): number => JSON.stringify(item).length;

/** What the model reads of a value in a place where an item belongs. */
function wordsOf(value: unknown): JsonRecord {
  return { type: 'message', role: 'user', content: textWithin(strip(value)) };
}

/** The same of a message of a kind that is not known; what is kept of it goes into the ledger. */
function unknownWords(value: JsonRecord): JsonRecord {
  const { bytes } = withoutMessageSecrets(Buffer.from(JSON.stringify(value)), removedValue);
  const safe: unknown = JSON.parse(bytes.toString());
  return wordsOf(safe);
}

/** What stands beside the places that are known, such as the instructions of Azure's Voice Live beside `response`. */
function wordsBeside(beside: JsonRecord): readonly JsonRecord[] {
  const said = unknownWords(beside);
  return said.content === '' ? [] : [{ ...said, role: 'system' }];
}

/** What a response is told besides the conversation: items, or what may be read as some. */
function ownItems(input: unknown, defects: string[]): readonly unknown[] {
  if (isAbsent(input)) return [];
  if (Array.isArray(input) && input.every(isRecord)) return input.map(strip);
  note(defects, '`input` of `response` is not a list of items');
  return [wordsOf(input)];
}

export function createRealtimeSession(target: string): RealtimeSession {
  const [named = ''] = modelsIn(target);
  let told: Told = { settings: noSettings, items: [], size: 0 };
  let read: { readonly of: Told; readonly facts: RequestBodyFacts } | null = null;
  let askedBy = '';
  /** The items that facts were read of. */
  const itemsIn = new WeakMap<RequestBodyFacts, readonly JsonRecord[]>();
  /** What an interpreter understood of speech so far: it says so in pieces, without an end. */
  let inPieces: JsonRecord | null = null;

  /** `model` is what a message names, undefined where it names none. */
  function factsOf(
    next: Told,
    override: JsonRecord,
    model: unknown,
    defects: string[],
    beside: readonly JsonRecord[] = [],
  ): RequestBodyFacts {
    const { settings, items } = next;
    const { input, ...overridden } = override;
    const said = { ...inForce(settings, defects), ...present(overridden) };
    const { id: _id, object: _object, type: _type, ...rest } = said;
    const own = ownItems(input, defects);
    const listening = transcriptionOf(rest);
    const listener = modelName(listening.model, defects);
    // A session that only writes down what it hears has no other model.
    const speaker = model ?? (modelOf(settings, named) || listener);
    const heard = isAbsent(listening.prompt) ? [] : [wordsOf(listening.prompt)];
    const body = { ...rest, model: speaker, input: [...heard, ...items, ...own, ...beside] };
    const reading = readResponsesRequest(Buffer.from(JSON.stringify(body)));
    for (const defect of reading.defects) note(defects, defect);
    if (items.length > messagesMax) note(defects, `more than ${messagesMax} items since the last answer`);
    if (next.size > untoldBytesMax)
      note(defects, `more than ${untoldBytesMax} characters since the last answer`);
    const facts = { ...alsoAsking(reading.facts, [listener]), stream: true };
    itemsIn.set(facts, items);
    return facts;
  }

  function facts(): RequestBodyFacts {
    if (read?.of !== told) read = { of: told, facts: factsOf(told, {}, undefined, []) };
    return read.facts;
  }

  /** `change` is made once the message is sent on, to what has been told by then. */
  function content(change: (before: Told) => Told, defects: string[], model?: unknown): ClientReading {
    const before = told;
    const next = change(before);
    const nextFacts = factsOf(next, {}, model, defects);
    const accept = (): void => {
      told = told === before ? next : change(told);
      if (told === next && model === undefined) read = { of: next, facts: nextFacts };
    };
    return { kind: 'content', facts: nextFacts, defects, changes: true, accept };
  }

  function update(value: JsonRecord): ClientReading {
    const defects: string[] = [];
    const settings = readUpdate(value, defects);
    const change = (before: Told): Told => ({
      ...before,
      settings: withUpdate(before.settings, textOf(value.event_id), settings),
    });
    return content(change, defects, settings.model);
  }

  function ask(value: JsonRecord): ClientReading {
    const { type: _type, event_id: _eventId, response, ...others } = value;
    const override = isRecord(response) ? response : {};
    const beside = wordsBeside(others);
    const defects: string[] = [];
    if (!isAbsent(response) && !isRecord(response)) note(defects, '`response` is not an object');
    if (!isAbsent(override.model) && override.model !== modelOf(told.settings, named))
      note(defects, 'a response names another model than its session');
    const changes = Object.keys(override).length > 0 || beside.length > 0;
    const asking = changes ? factsOf(told, override, undefined, defects, beside) : facts();
    const accept = (): void => {
      askedBy = textOf(value.event_id);
    };
    return { kind: 'ask', facts: asking, defects, changes, accept };
  }

  function hearPiece(piece: string): void {
    const { items, size } = told;
    const last = items.at(-1);
    const goesOn = last !== undefined && last === inPieces;
    const content = (goesOn ? textOf(last.content) : '') + piece;
    const before = goesOn ? { ...told, items: items.slice(0, -1), size: size - sizeOf(last) } : told;
    told = withItem({ type: 'message', role: 'user', content })(before);
    inPieces = told.items.at(-1) ?? null;
  }

  function create(value: JsonRecord): ClientReading {
    const { type: _type, event_id: _eventId, previous_item_id: _place, item, ...others } = value;
    if (!isRecord(item)) return content(withItem(wordsOf(value)), ['`item` is not an object']);
    const changes = [item, ...wordsBeside(others)].map(withItem);
    return content((before) => changes.reduce((so, change) => change(so), before), []);
  }

  return {
    facts,
    model: () => modelOf(told.settings, named),
    read(value) {
      switch (textOf(value.type)) {
        case 'response.create':
          return ask(value);
        case 'session.update':
        case 'transcription_session.update':
          return update(value);
        case 'conversation.item.create':
          return create(value);
        default:
          // A kind of message that is not known here may say anything.
          return content(withItem(unknownWords(value)), []);
      }
    },
    hear(type, value) {
      const { session, transcript } = value;
      const state = /^(?:transcription_)?session\.(created|updated)$/.exec(type)?.[1];
      if (state !== undefined) {
        const said = isRecord(session) ? session : {};
        told = { ...told, settings: heard(told.settings, said, state === 'updated') };
      }
      if (type === 'conversation.item.input_audio_transcription.completed' && typeof transcript === 'string')
        told = withItem({ type: 'message', role: 'user', content: transcript })(told);
      if (type === 'session.input_transcript.delta') hearPiece(textOf(value.delta));
    },
    asked: (recorded) => {
      const known = new Set(itemsIn.get(recorded));
      const items = told.items.filter((item) => !known.has(item));
      told = { ...told, items, size: items.reduce((sum, item) => sum + sizeOf(item), 0) };
    },
    refuse(eventId) {
      const settings = withoutUpdate(told.settings, eventId);
      if (settings !== told.settings) told = { ...told, settings };
    },
    wasAskedBy: (eventId) => eventId === askedBy,
  };
}

/** The item without its sound and its pictures, which stand in it as base64. */
function withoutMedia(value: unknown): JsonRecord {
  const stripped = strip(value);
  return isRecord(stripped) ? stripped : {};
}

function strip(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(strip);
  if (!isRecord(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => [key, isMedia(key, member) ? '' : strip(member)]),
  );
}

function isMedia(key: string, member: unknown): boolean {
  if (typeof member !== 'string') return false;
  return key === 'audio' || (key === 'image_url' && member.startsWith('data:'));
}
