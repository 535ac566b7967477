/**
 * Bedrock's ConverseStream
 * (https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStream.html): reassembles the
 * content blocks and says which events carry part of a tool call. Pure.
 */
import type { ToolCallFact } from '../../core/facts.ts';
import { addJsonCall, joined, note, usageAbsent } from '../reading/reading.ts';
import type { StreamEventKind, StreamReader } from '../reading/stream.ts';
import { isRecord, type JsonRecord, textOf } from '../wire/json.ts';
import {
  addMemberCall,
  converseBlocksMax,
  isCallMember,
  membersOf,
  readConverseUsage,
  routedModel,
} from './converse.ts';
import { keepAliveEventType } from './frames.ts';

const eventsWithoutContent: ReadonlySet<string> = new Set(['initial-response', keepAliveEventType]);

interface BlockInProgress {
  /** The member that makes a call; '' while the block makes none. */
  call: string;
  /** What an unknown member said first. */
  value: unknown;
  id: string;
  name: string;
  inputText: string;
  text: string;
  /** Its end was seen, where some clients take the call up. */
  over: boolean;
}

/** What became of one block, for whoever rewrites the stream. */
export interface ConverseBlock {
  /** The member that makes a call, such as `toolUse`; '' for a block that makes none. */
  readonly call: string;
  readonly text: string;
}

export interface ConverseStreamReader extends StreamReader {
  /** The blocks by index, in the order in which they first appeared. */
  blocks(): ReadonlyMap<number, ConverseBlock>;
}

function strongest(kinds: readonly StreamEventKind[]): StreamEventKind {
  if (kinds.includes('tool')) return 'tool';
  return kinds.includes('text') ? 'text' : 'other';
}

/** Opens a reader for one stream. */
export function createConverseStreamReader(status: number): ConverseStreamReader {
  const defects: string[] = [];
  const blocks = new Map<number, BlockInProgress>();
  const unknownCalls: ToolCallFact[] = [];
  let usage = usageAbsent;
  let model = '';
  let finishReason = '';
  let started = false;
  let stopped = false;

  function blockAt(value: JsonRecord, opens: boolean): BlockInProgress | null {
    const index = value.contentBlockIndex;
    if (typeof index !== 'number') {
      note(defects, 'an event belongs to no content block');
      return null;
    }
    const known = blocks.get(index);
    if (known !== undefined) {
      if (opens) note(defects, 'a content block starts twice');
      return known;
    }
    if (blocks.size >= converseBlocksMax) {
      note(defects, `more than ${converseBlocksMax} content blocks`);
      return null;
    }
    const block = { call: '', value: null, id: '', name: '', inputText: '', text: '', over: false };
    blocks.set(index, block);
    return block;
  }

  function startMember(block: BlockInProgress, member: string, value: unknown): StreamEventKind {
    if (!isCallMember(member)) return member === 'reasoningContent' ? 'other' : 'text';
    if (block.call !== '' || block.text !== '') note(defects, 'a content block is of two kinds');
    block.call = member;
    block.value = value;
    if (member !== 'toolUse') return 'tool';
    if (!isRecord(value)) note(defects, 'a tool call is not an object');
    else {
      block.id = textOf(value.toolUseId);
      block.name = textOf(value.name);
      if (!isRecord(value.input)) return 'tool';
      block.inputText = JSON.stringify(value.input);
    }
    return 'tool';
  }

  function deltaMember(block: BlockInProgress, member: string, value: unknown): StreamEventKind {
    if (member === 'toolUse') {
      if (block.call !== 'toolUse') note(defects, 'a content block that is no tool call receives input');
      if (stopped) note(defects, 'some clients pass over a piece of a tool call');
      const input = isRecord(value) ? value.input : undefined;
      if (typeof input !== 'string') note(defects, 'the input of a tool call is not text');
      block.inputText += textOf(input);
      return 'tool';
    }
    if (member !== 'citation' && isCallMember(member)) {
      if (block.call === '') startMember(block, member, value);
      return 'tool';
    }
    if (member === 'text') {
      block.text += textOf(value);
      if (typeof value !== 'string') {
        note(defects, 'the text of a content block is not text');
        return 'tool';
      }
    }
    if (block.call === '') return 'text';
    note(defects, 'a content block is of two kinds');
    return 'tool';
  }

  function absorbMembers(
    value: JsonRecord,
    key: 'start' | 'delta',
    absorb: (block: BlockInProgress, member: string, value: unknown) => StreamEventKind,
  ): StreamEventKind {
    const block = blockAt(value, key === 'start');
    if (block === null) return 'tool';
    if (block.over) note(defects, 'a content block goes on after its end');
    const said = value[key];
    if (isRecord(said))
      return strongest(membersOf(said).map((member) => absorb(block, member, said[member])));
    note(defects, `a content block has no \`${key}\``);
    return 'tool';
  }

  function blockStop(index: unknown): StreamEventKind {
    const block = typeof index === 'number' ? blocks.get(index) : undefined;
    if (block !== undefined) block.over = true;
    return 'other';
  }

  return {
    defects,
    blocks: () => blocks,
    absorbText: () => null,
    absorbEmpty: () => 'other',
    absorb(event, value) {
      switch (event) {
        case 'messageStart':
          if (started) note(defects, 'the stream has two messages');
          started = true;
          return 'other';
        case 'contentBlockStart':
          return absorbMembers(value, 'start', startMember);
        case 'contentBlockDelta':
          return absorbMembers(value, 'delta', deltaMember);
        case 'contentBlockStop':
          return blockStop(value.contentBlockIndex);
        case 'messageStop':
          finishReason = textOf(value.stopReason);
          stopped = true;
          return 'end';
        case 'metadata':
          usage = readConverseUsage(value.usage);
          model = routedModel(value.trace);
          return 'other';
        default:
          if (eventsWithoutContent.has(event)) return 'other';
          // A newer client than this parser may do what it says.
          addMemberCall(event, value, unknownCalls, defects);
          return 'tool';
      }
    },
    reading() {
      const toolCalls: ToolCallFact[] = [];
      let text = '';
      for (const block of blocks.values()) {
        text = joined(text, block.text);
        if (block.call === 'toolUse') addJsonCall(toolCalls, defects, block.id, block.name, block.inputText);
        else if (block.call !== '') addMemberCall(block.call, block.value, toolCalls, defects);
      }
      const facts = {
        status,
        model,
        fingerprint: '',
        text,
        toolCalls: [...toolCalls, ...unknownCalls],
        finishReason,
        usage,
        refusal: '',
      };
      return { facts, defects, complete: stopped, failed: false };
    },
  };
}
