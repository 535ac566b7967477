/**
 * Anthropic messages, streamed (https://docs.anthropic.com/en/docs/build-with-claude/streaming):
 * reassembles the content blocks and says which events carry part of a tool call. Pure.
 */
import type { ToolCallFact } from '../../core/facts.ts';
import { boundedList, joined, note, pieceOf } from '../reading/reading.ts';
import type { StreamEventKind, StreamReader } from '../reading/stream.ts';
import { isAbsent, isRecord, type JsonRecord, textOf } from '../wire/json.ts';
import {
  addBlockCall,
  blocksMax,
  isCallBlock,
  readMessagesUsage,
  refusalText,
  wordsOfBlock,
} from './messages.ts';

interface BlockInProgress {
  readonly start: JsonRecord;
  readonly type: string;
  text: string;
  inputText: string;
  /** Its end was seen, where some clients take the call up. */
  over: boolean;
}

const textDeltas: ReadonlySet<string> = new Set([
  'text_delta',
  'thinking_delta',
  'signature_delta',
  'citations_delta',
  'compaction_delta',
]);

/** Opens a reader for one stream. */
export function createMessagesStreamReader(status: number): StreamReader {
  const defects: string[] = [];
  const blocks: BlockInProgress[] = [];
  let usage: JsonRecord | null = null;
  let model = '';
  let finishReason = '';
  let refusal = '';
  let started = false;
  let stopped = false;
  let failed = false;
  /** Whether the events have names; null before the first. */
  let named: boolean | null = null;

  function startBlock(block: unknown): StreamEventKind {
    if (!isRecord(block)) {
      note(defects, 'a content block is not an object');
      return 'tool';
    }
    if (blocks.length >= blocksMax) {
      note(defects, `more than ${blocksMax} content blocks`);
      return 'tool';
    }
    const type = textOf(block.type);
    const text = wordsOfBlock(block);
    blocks.push({ start: block, type, text, inputText: '', over: false });
    if (isCallBlock(type)) return 'tool';
    return text !== '' || (type !== 'text' && type !== 'thinking') ? 'text' : 'other';
  }

  function blockStart(value: JsonRecord): StreamEventKind {
    // The SDKs append a block on start and find it by index on a delta: only in order do the two agree.
    const inOrder = value.index === blocks.length;
    const kind = startBlock(value.content_block);
    if (inOrder) return kind;
    note(defects, 'content blocks arrive out of order');
    return 'tool';
  }

  function blockDelta(value: JsonRecord): StreamEventKind {
    const delta = value.delta;
    const index = value.index;
    const block = typeof index === 'number' ? blocks[index] : undefined;
    if (!isRecord(delta) || block === undefined) {
      note(defects, 'a delta belongs to no content block');
      return 'tool';
    }
    if (block.over) note(defects, 'a content block goes on after its end');
    const type = textOf(delta.type);
    if (type === 'input_json_delta') {
      // Who reads to the end of the message alone has heard nothing of it.
      if (stopped) note(defects, 'some clients pass over a piece of a tool call');
      block.inputText += pieceOf(delta.partial_json, 'a piece of a tool call', defects);
      if (!isCallBlock(block.type)) note(defects, 'a content block that is no tool call receives input');
      return 'tool';
    }
    if (type === 'text_delta') block.text += pieceOf(delta.text, 'a piece of a text', defects);
    // One that says `null` has not come about.
    if (type === 'compaction_delta') block.text += textOf(delta.content);
    if (isCallBlock(block.type)) return 'tool';
    return textDeltas.has(type) ? 'text' : 'tool';
  }

  function blockStop(index: unknown): StreamEventKind {
    const block = typeof index === 'number' ? blocks[index] : undefined;
    if (block !== undefined) block.over = true;
    return 'other';
  }

  /** Where code called a tool, the message comes whole in its first event. */
  function messageStart(message: unknown): StreamEventKind {
    if (!isRecord(message)) {
      note(defects, '`message_start` carries no message');
      return 'tool';
    }
    if (started) note(defects, 'the stream has two messages');
    started = true;
    model = textOf(message.model);
    finishReason = textOf(message.stop_reason);
    if (isRecord(message.usage)) usage = { ...usage, ...message.usage };
    let kind: StreamEventKind = 'other';
    for (const block of boundedList(message.content, blocksMax, '`content`', defects)) {
      const one = startBlock(block);
      if (one === 'tool' || kind === 'other') kind = one;
    }
    return isAbsent(message.content) || Array.isArray(message.content) ? kind : 'tool';
  }

  function messageDelta(value: JsonRecord): StreamEventKind {
    const delta = value.delta;
    if (isRecord(delta)) {
      if (textOf(delta.stop_reason) !== '') finishReason = textOf(delta.stop_reason);
      refusal = joined(refusal, refusalText(delta.stop_details));
    }
    if (isRecord(value.usage)) {
      // The counters are totals; one that is left out or null keeps what was said before.
      const given = Object.entries(value.usage).filter(([, count]) => !isAbsent(count));
      usage = { ...usage, ...Object.fromEntries(given) };
    }
    return 'other';
  }

  function absorbType(type: string, value: JsonRecord): StreamEventKind {
    switch (type) {
      case 'message_start':
        return messageStart(value.message);
      case 'content_block_start':
        return blockStart(value);
      case 'content_block_delta':
        return blockDelta(value);
      case 'content_block_stop':
        return blockStop(value.index);
      case 'ping':
        return 'other';
      case 'message_delta':
        return messageDelta(value);
      case 'message_stop':
        stopped = true;
        return 'end';
      case 'error':
        failed = true;
        return 'error';
      default:
        // Whoever goes by the members may find a call in it.
        if (!isAbsent(value.content_block) || !isAbsent(value.message))
          note(defects, 'an event of the stream has an unknown type');
        return 'tool';
    }
  }

  /** The SDKs drop events without a name and those named `ping`, others go by the data alone: both must see all. */
  function isSeenBySome(event: string, type: string): boolean {
    if (type === 'ping' || type === 'error') return false;
    named ??= event !== '';
    const isAsBefore = named === (event !== '');
    if (isAsBefore && (event === '' || event === type || type === '')) return false;
    note(defects, 'an event of the stream has another name than its data');
    return true;
  }

  return {
    defects,
    absorbText: () => null,
    absorbEmpty(event) {
      if (event !== 'error') return 'other';
      failed = true;
      return 'error';
    },
    absorb(event, value) {
      const kind = absorbType(textOf(value.type) || event, value);
      // The SDKs go by the event's name, others by the data's type: an error to either has failed.
      if (event === 'error') failed = true;
      else if (isSeenBySome(event, textOf(value.type))) return 'tool';
      return event === 'error' && kind !== 'tool' ? 'error' : kind;
    },
    reading() {
      const toolCalls: ToolCallFact[] = [];
      let text = '';
      for (const block of blocks) {
        if (isCallBlock(block.type)) {
          // The SDKs read pieces where the block ends: without that end they have the input that it began with.
          if (block.inputText !== '' && !block.over) note(defects, 'a tool call in pieces has no end');
          addBlockCall(block.start, block.inputText, toolCalls, defects);
        } else text = joined(text, block.text);
      }
      const facts = {
        status,
        model,
        fingerprint: '',
        text,
        toolCalls,
        finishReason,
        usage: readMessagesUsage(usage),
        refusal,
      };
      return { facts, defects, complete: stopped, failed };
    },
  };
}
