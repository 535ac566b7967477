/**
 * What a Realtime session has told its model since its last answer: the settings in force and the items added, read
 * as the responses API reads the same. Of sound and pictures nothing is kept. Pure.
 */
import { isAbsent, isRecord, type JsonRecord, textOf } from './json.ts';
import { readResponsesRequest } from './openai-responses.ts';
import type { RequestBodyFacts } from './protocol.ts';
import { messagesMax, note, textWithin } from './reading.ts';
import type { ClientReading } from './realtime.ts';
import { untoldBytesMax } from './realtime-reading.ts';

export interface RealtimeSession {
  facts(): RequestBodyFacts;
  model(): string;
  /** A message that may change what the model is told, or make it answer. */
  read(value: JsonRecord): ClientReading;
  /** What the provider says of the session: its settings, what it understood of speech. */
  hear(type: string, value: JsonRecord): void;
  asked(): void;
  /** True when `eventId` names the last message that asked for an answer. */
  wasAskedBy(eventId: string): boolean;
}

interface Told {
  readonly settings: JsonRecord;
  readonly items: readonly JsonRecord[];
  /** Characters of the items. */
  readonly size: number;
}

/** `model` names the model at OpenAI, `deployment` at Azure. */
function modelIn(target: string): string {
  const query = new URLSearchParams(target.split('?')[1] ?? '');
  return query.get('model') ?? query.get('deployment') ?? '';
}

export function createRealtimeSession(target: string): RealtimeSession {
  const named = modelIn(target);
  let told: Told = { settings: {}, items: [], size: 0 };
  let read: { readonly of: Told; readonly facts: RequestBodyFacts } | null = null;
  let askedBy = '';

  function factsOf(next: Told, override: JsonRecord, defects: string[]): RequestBodyFacts {
    const { settings, items } = next;
    const { input, ...overridden } = override;
    const own: unknown[] = Array.isArray(input) ? input.map(withoutMedia) : [];
    const { id: _id, object: _object, type: _type, model, ...rest } = { ...settings, ...overridden };
    const body = { ...rest, model: textOf(model) || named, input: [...items, ...own] };
    const reading = readResponsesRequest(Buffer.from(JSON.stringify(body)));
    for (const defect of reading.defects) note(defects, defect);
    if (items.length > messagesMax) note(defects, `more than ${messagesMax} items since the last answer`);
    if (next.size > untoldBytesMax)
      note(defects, `more than ${untoldBytesMax} characters since the last answer`);
    return { ...reading.facts, stream: true };
  }

  function facts(): RequestBodyFacts {
    if (read?.of !== told) read = { of: told, facts: factsOf(told, {}, []) };
    return read.facts;
  }

  function withItem(item: JsonRecord): Told {
    const kept = withoutMedia(item);
    return {
      ...told,
      items: [...told.items, kept],
      size: told.size + JSON.stringify(kept).length,
    };
  }

  function content(next: Told): ClientReading {
    const defects: string[] = [];
    const nextFacts = factsOf(next, {}, defects);
    const accept = (): void => {
      told = next;
      read = { of: next, facts: nextFacts };
    };
    return { kind: 'content', facts: nextFacts, defects, changes: true, accept };
  }

  function ask(value: JsonRecord): ClientReading {
    const override = isRecord(value.response) ? value.response : {};
    const defects: string[] = [];
    if (!isAbsent(value.response) && !isRecord(value.response)) note(defects, '`response` is not an object');
    const changes = Object.keys(override).length > 0;
    const asking = changes ? factsOf(told, override, defects) : facts();
    const accept = (): void => {
      askedBy = textOf(value.event_id);
    };
    return { kind: 'ask', facts: asking, defects, changes, accept };
  }

  return {
    facts,
    model: () => textOf(told.settings.model) || named,
    read(value) {
      const { session, item } = value;
      switch (textOf(value.type)) {
        case 'response.create':
          return ask(value);
        case 'session.update':
        case 'transcription_session.update':
          return content(isRecord(session) ? { ...told, settings: { ...told.settings, ...session } } : told);
        case 'conversation.item.create':
          return content(withItem(isRecord(item) ? item : {}));
        default:
          // A kind of message that is not known here may say anything.
          return content(
            withItem({ type: 'message', role: 'user', content: textWithin(withoutMedia(value)) }),
          );
      }
    },
    hear(type, value) {
      const { session, transcript } = value;
      const isSettings = type === 'session.created' || type === 'session.updated';
      if (isSettings && isRecord(session)) told = { ...told, settings: { ...told.settings, ...session } };
      if (type === 'conversation.item.input_audio_transcription.completed' && typeof transcript === 'string')
        told = withItem({ type: 'message', role: 'user', content: transcript });
    },
    asked: () => {
      told = { ...told, items: [], size: 0 };
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
