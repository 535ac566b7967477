/**
 * Which settings of a Realtime session may be in force. The provider takes updates in the order in which they were
 * sent and answers each: with all settings, or with an error. Until then an update may be in force or refused, so that
 * what it replaces counts as well. Pure.
 */

import { contentText } from '../openai/chat.ts';
import { boundedList, joined, note, toolsMax } from '../reading/reading.ts';
import { isAbsent, isRecord, type JsonRecord, textOf } from '../wire/json.ts';

interface Update {
  readonly eventId: string;
  readonly settings: JsonRecord;
}

export interface Settings {
  /** The provider's last word. */
  readonly confirmed: JsonRecord;
  /** It was about an update, and is not merely what every session begins with. */
  readonly isAsked: boolean;
  /** Sent on since, the oldest first. */
  readonly sent: readonly Update[];
}

export const noSettings: Settings = { confirmed: {}, isAsked: false, sent: [] };

/** Some servers answer no update. */
const sentMax = 16;

/** The members that say something: of others nobody can say whether they clear a setting or leave it. */
export function present(settings: JsonRecord): JsonRecord {
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => !isAbsent(value)));
}

/** What an update sets; vLLM has its model beside the place for settings. */
export function readUpdate(value: JsonRecord, defects: string[]): JsonRecord {
  const { type: _type, event_id: _eventId, session, ...beside } = value;
  if (isAbsent(session)) return present(beside);
  if (!isRecord(session)) note(defects, '`session` is not an object');
  if (Object.keys(beside).length > 0) note(defects, 'an update has settings in two places');
  const own = isRecord(session) ? session : { instructions: session };
  return present({ ...beside, ...own });
}

function confirm(settings: Settings): Settings {
  const [oldest, ...sent] = settings.sent;
  return { confirmed: { ...settings.confirmed, ...oldest?.settings }, isAsked: true, sent };
}

export function withUpdate(settings: Settings, eventId: string, update: JsonRecord): Settings {
  const next = { ...settings, sent: [...settings.sent, { eventId, settings: update }] };
  return next.sent.length > sentMax ? confirm(next) : next;
}

/** The provider says which settings are in force: those that the session begins with, or those after the oldest update. */
export function heard(settings: Settings, session: JsonRecord, isUpdated: boolean): Settings {
  const next = isUpdated ? confirm(settings) : settings;
  return { ...next, confirmed: { ...next.confirmed, ...session } };
}

/** The provider refuses what had that id. */
export function withoutUpdate(settings: Settings, eventId: string): Settings {
  const place = settings.sent.findIndex((update) => update.eventId === eventId);
  return place === -1 || eventId === '' ? settings : { ...settings, sent: settings.sent.toSpliced(place, 1) };
}

/** The model that answers: an update that names another may be refused. */
export function modelOf({ confirmed, sent }: Settings, named: string): string {
  const first = sent.map(({ settings }) => textOf(settings.model)).find((model) => model !== '');
  return textOf(confirmed.model) || named || (first ?? '');
}

/** Everything that may be in force: the last settings, with the instructions and tools of all that they may not have replaced. */
export function inForce({ confirmed, isAsked, sent }: Settings, defects: string[]): JsonRecord {
  const updates = sent.map(({ settings }) => settings);
  const last: JsonRecord = Object.assign({}, confirmed, ...updates);
  const layers = isAsked ? [confirmed, ...updates] : updates;
  if (layers.length < 2) return last;
  const texts = new Set(layers.map(({ instructions }) => contentText(instructions, defects)));
  const tools = new Map<string, unknown>();
  for (const layer of layers)
    for (const tool of boundedList(layer.tools, toolsMax, '`tools`', defects))
      tools.set(JSON.stringify(tool), tool);
  return { ...last, instructions: [...texts].reduce(joined, ''), tools: [...tools.values()] };
}
