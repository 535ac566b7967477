/**
 * What is still to be told, on disk: an append-only journal of JSON lines that is written anew when most of it is
 * past. A restart finds every message that was queued and not taken, and every dead letter. One line is one fact:
 *
 *     {"op":"queued","message":…}  {"op":"sent","key":…}  {"op":"dead","key":…,"reason":…,"atMs":…}  {"op":"again","key":…,"atMs":…}
 *
 * Owns the queue's state; a line that a crash cut off is the last one and is left out. `append` resolves after fsync.
 */
import { readFileSync } from 'node:fs';
import { type FileHandle, open, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { HoldpointError, messageOf } from '../core/errors.ts';
import { createInTurn } from '../core/in-turn.ts';
import { type Notice, noticeTypes, severities } from './notice.ts';

const noticeSchema = z.strictObject({
  id: z.string().max(256),
  type: z.enum(noticeTypes),
  atMs: z.int().min(0),
  severity: z.enum(severities),
  hold: z
    .strictObject({
      id: z.string(),
      decisionId: z.string(),
      phase: z.enum(['request', 'response']),
      state: z.string(),
      rules: z.array(z.strictObject({ id: z.string(), title: z.string() })),
      policyVersion: z.string(),
      openedAt: z.string(),
      expiresAt: z.string(),
    })
    .nullable(),
});
const messageSchema = z.strictObject({
  receiver: z.string(),
  queuedAtMs: z.int().min(0),
  notice: noticeSchema,
});
const lineSchema = z.discriminatedUnion('op', [
  z.strictObject({ op: z.literal('queued'), message: messageSchema }),
  z.strictObject({ op: z.literal('sent'), key: z.string() }),
  z.strictObject({ op: z.literal('dead'), key: z.string(), reason: z.string(), atMs: z.int().min(0) }),
  z.strictObject({ op: z.literal('again'), key: z.string(), atMs: z.int().min(0) }),
]);
type Line = z.output<typeof lineSchema>;

export interface Message {
  /** `<receiver>/<notice id>`: a notice is told to a receiver once. */
  readonly key: string;
  readonly receiver: string;
  readonly notice: Notice;
  /** Since when it is tried. */
  queuedAtMs: number;
  state: 'pending' | 'sent' | 'dead';
  /** Why it was given up; '' before. */
  reason: string;
  endedAtMs: number;
}

export interface Outbox {
  /** False when that notice was queued for that receiver before, whatever became of it. */
  add(receiver: string, notice: Notice, nowMs: number): boolean;
  sent(message: Message): void;
  dead(message: Message, reason: string, nowMs: number): void;
  again(message: Message, nowMs: number): void;
  get(key: string): Message | undefined;
  all(): readonly Message[];
  /** Resolves when everything said so far is on disk; rejects when it cannot be. */
  flush(): Promise<void>;
  close(): Promise<void>;
}

export interface OutboxBounds {
  /** Messages kept that are dead; the oldest go first. */
  readonly deadMax: number;
  /** Messages remembered as sent, so that a restart does not tell them again. */
  readonly sentMax: number;
}

const fileName = 'outbox.ndjson';
const slackLines = 1_000;

/**
 * Opens the outbox in `directory`. Throws `config_invalid` where its file is damaged before its end.
 * @param makeDirectory makes one for its owner alone, on disk when it returns; the first message asks for it
 */
export function openOutbox(
  directory: string,
  makeDirectory: (directory: string) => void,
  bounds: OutboxBounds,
  onDropped: (message: Message) => void,
): Outbox {
  const path = join(directory, fileName);
  const messages = new Map<string, Message>();
  /** Keys of what ended, in the order in which it did. */
  const ended = { sent: new Set<string>(), dead: new Set<string>() };
  for (const line of readLines(path)) take(line);
  let waiting: string[] = [];
  /** Lines in the file; a file that is mostly past is written anew. */
  let lines = Number.POSITIVE_INFINITY;
  let handle: FileHandle | null = null;
  /** What is on disk is not known, or was never written. */
  let isBehind = false;
  const inTurn = createInTurn();

  function take(line: Line): void {
    apply(messages, line);
    if (line.op === 'queued') return;
    ended.dead.delete(line.key);
    if (line.op !== 'again' && messages.has(line.key)) ended[line.op].add(line.key);
    forgetOldest(ended.sent, bounds.sentMax, () => undefined);
    forgetOldest(ended.dead, bounds.deadMax, onDropped);
  }

  function forgetOldest(keys: Set<string>, max: number, onForgotten: (message: Message) => void): void {
    for (const key of keys) {
      if (keys.size <= max) return;
      const message = messages.get(key);
      keys.delete(key);
      messages.delete(key);
      if (message !== undefined) onForgotten(message);
    }
  }

  function say(line: Line): void {
    take(line);
    waiting.push(`${JSON.stringify(line)}\n`);
  }

  async function write(): Promise<void> {
    if (waiting.length === 0 && !isBehind) return;
    if (handle === null || lines > messages.size * 2 + slackLines) {
      waiting = [];
      isBehind = true;
      makeDirectory(directory);
      const text = [...messages.values()].flatMap(linesOf).map((line) => `${JSON.stringify(line)}\n`);
      await handle?.close();
      handle = null;
      handle = await replaceAndOpen(path, text.join(''));
      lines = text.length;
      isBehind = false;
      return;
    }
    const text = waiting;
    waiting = [];
    try {
      await handle.appendFile(text.join(''));
      await handle.datasync();
      lines += text.length;
    } catch (error) {
      // What is on disk is not known: the next write begins with a new file.
      await handle.close().catch(() => undefined); // It is given up either way; the failure itself is thrown below.
      handle = null;
      isBehind = true;
      throw error;
    }
  }

  return {
    add: (receiver, notice, nowMs) => {
      if (messages.has(keyOf(receiver, notice))) return false;
      say({ op: 'queued', message: { receiver, queuedAtMs: nowMs, notice: mutableNotice(notice) } });
      return true;
    },
    sent: ({ key }) => say({ op: 'sent', key }),
    dead: ({ key }, reason, atMs) => say({ op: 'dead', key, reason, atMs }),
    again: ({ key }, atMs) => say({ op: 'again', key, atMs }),
    get: (key) => messages.get(key),
    all: () => [...messages.values()],
    flush: () => inTurn(write),
    close: async () => {
      await inTurn(async () => {
        await handle?.close();
        handle = null;
      });
    },
  };
}

const keyOf = (receiver: string, notice: Notice): string => `${receiver}/${notice.id}`;

function mutableNotice(notice: Notice): z.output<typeof noticeSchema> {
  const { hold } = notice;
  return {
    ...notice,
    hold: hold === null ? null : { ...hold, rules: hold.rules.map((rule) => ({ ...rule })) },
  };
}

function apply(messages: Map<string, Message>, line: Line): void {
  if (line.op === 'queued') {
    const { receiver, notice, queuedAtMs } = line.message;
    const key = keyOf(receiver, notice);
    messages.set(key, { key, receiver, notice, queuedAtMs, state: 'pending', reason: '', endedAtMs: 0 });
    return;
  }
  const message = messages.get(line.key);
  if (message === undefined) return;
  if (line.op === 'sent') message.state = 'sent';
  else if (line.op === 'again')
    Object.assign(message, { state: 'pending', reason: '', queuedAtMs: line.atMs });
  else Object.assign(message, { state: 'dead', reason: line.reason, endedAtMs: line.atMs });
}

function linesOf(message: Message): Line[] {
  const { key, receiver, notice, queuedAtMs, state, reason, endedAtMs } = message;
  const queued: Line = { op: 'queued', message: { receiver, queuedAtMs, notice: mutableNotice(notice) } };
  if (state === 'sent') return [queued, { op: 'sent', key }];
  return state === 'dead' ? [queued, { op: 'dead', key, reason, atMs: endedAtMs }] : [queued];
}

async function replaceAndOpen(path: string, text: string): Promise<FileHandle> {
  const temporary = `${path}.new`;
  const handle = await open(temporary, 'w', 0o600);
  try {
    await handle.writeFile(text);
    await handle.sync();
    await rename(temporary, path);
    const directory = await open(join(path, '..'), 'r');
    await directory.sync().finally(() => directory.close());
    return handle;
  } catch (error) {
    await handle.close();
    throw error;
  }
}

function readLines(path: string): Line[] {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw unreadable(path, messageOf(error), error);
  }
  // What follows the last line feed was cut off by a crash before anybody was told that it is kept.
  return text
    .slice(0, text.lastIndexOf('\n') + 1)
    .split('\n')
    .slice(0, -1)
    .map((line, i) => {
      const parsed = lineSchema.safeParse(jsonOf(line));
      if (parsed.success) return parsed.data;
      throw unreadable(path, `line ${i + 1} is not one of ours`, parsed.error);
    });
}

function jsonOf(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    // The schema refuses it and the caller names the line.
    return null;
  }
}

function unreadable(path: string, why: string, cause: unknown): HoldpointError {
  return new HoldpointError(
    'config_invalid',
    `Notifications that wait cannot be read from ${path}: ${why}.`,
    'Restore it, or move it away: what waited there is then not told.',
    cause,
  );
}
