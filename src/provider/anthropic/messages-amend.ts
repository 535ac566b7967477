/**
 * Writes a reviewer's amendment into an Anthropic message. Blocks that are not amended, thinking and its
 * signature above all, stay byte for byte: the API refuses a later turn where they changed. Pure.
 */
import {
  type ArgumentsAt,
  confirmAmended,
  objectArguments,
  planAmendment,
  rewriteJson,
  rewriteStream,
  unamendable,
  withheld,
} from '../amending/amendment.ts';
import { withoutSaidAgain } from '../amending/said-again.ts';
import type { Amendment, ResponseReading } from '../protocol.ts';
import { openEventStream } from '../reading/stream.ts';
import { isRecord, type JsonRecord, textOf } from '../wire/json.ts';
import { isCallBlock, readMessagesResponse } from './messages.ts';
import { createMessagesStreamReader } from './messages-stream.ts';

const okStatus = 200;
const amendableBlocks: ReadonlySet<string> = new Set(['tool_use', 'server_tool_use', 'mcp_tool_use']);

/**
 * What happens to each content block, met in order. The first text block takes the new text; the API
 * refuses empty text blocks in a later turn, so the others go, and with '' all of them. With a call that is
 * withheld goes what its server answered.
 */
function planBlocks(at: ArgumentsAt, amendment: Amendment) {
  let place = 0;
  let textWritten = false;
  const without = new Set<string>();
  let taken = false;
  let left = false;
  /** What has no id was answered by what names none. */
  const answersWithheld = (block: JsonRecord, type: string): boolean => {
    const id = textOf(block['tool_use_id']);
    return (id !== '' || type.endsWith('_tool_result')) && without.has(id);
  };
  const planned = (block: JsonRecord): { keep: boolean; text?: string; input?: JsonRecord } => {
    const type = textOf(block['type']);
    if (type === 'text' && amendment.text !== undefined) {
      if (textWritten || amendment.text === '') return { keep: false };
      textWritten = true;
      return { keep: true, text: amendment.text };
    }
    if (!isCallBlock(type)) return { keep: !answersWithheld(block, type) };
    const value = at.get(place);
    place += 1;
    if (value === withheld) taken = true;
    else if (type === 'tool_use') left = true;
    if (value === undefined) return { keep: true };
    if (!amendableBlocks.has(type)) throw unamendable(`a ${type} has no arguments of its own`);
    if (value === withheld) {
      without.add(textOf(block['id']));
      return { keep: false };
    }
    return { keep: true, input: objectArguments(value) };
  };
  /** Whoever loops while the model asks for tools would have none to run. */
  const endOf = (stopReason: unknown): unknown =>
    stopReason === 'tool_use' && taken && !left ? 'end_turn' : stopReason;
  return { planned, endOf };
}

function withoutCitations(block: JsonRecord): JsonRecord {
  return 'citations' in block ? { ...block, citations: null } : block;
}

function amendJson(original: Buffer, amendment: Amendment): Buffer {
  const at = planAmendment(readMessagesResponse(okStatus, original), amendment);
  const amended = rewriteJson(original, (body) => {
    const { planned, endOf } = planBlocks(at, amendment);
    const content: unknown[] = [];
    for (const block of Array.isArray(body['content']) ? body['content'] : []) {
      const plan = isRecord(block) ? planned(block) : { keep: true };
      if (!plan.keep) continue;
      if (plan.text !== undefined) content.push({ ...withoutCitations(block), text: plan.text });
      else content.push(plan.input === undefined ? block : { ...block, input: plan.input });
    }
    const end = 'stop_reason' in body ? { stop_reason: endOf(body['stop_reason']) } : {};
    return { ...withoutSaidAgain(body), content, ...end };
  });
  confirmAmended(readMessagesResponse(okStatus, amended), amendment);
  return amended;
}

function readStream(bytes: Buffer): ResponseReading {
  const stream = openEventStream(createMessagesStreamReader(okStatus), Math.max(bytes.length, 1));
  stream.push(bytes);
  return stream.finish().reading;
}

interface BlockRewrite {
  readonly index: number;
  readonly keep: boolean;
  /** The block's deltas are replaced by one of ours. */
  readonly replaced: boolean;
}

function amendStream(original: Buffer, amendment: Amendment): Buffer {
  const { planned, endOf } = planBlocks(planAmendment(readStream(original), amendment), amendment);
  const blocks: BlockRewrite[] = [];
  let kept = 0;

  function start(value: JsonRecord, block: JsonRecord): readonly JsonRecord[] {
    const plan = planned(block);
    const index = kept;
    if (plan.keep) kept += 1;
    const replaced = plan.text !== undefined || plan.input !== undefined;
    blocks.push({ index, keep: plan.keep, replaced });
    if (!plan.keep) return [];
    if (plan.text !== undefined) {
      const opened = { ...withoutCitations(block), text: '' };
      const delta = { type: 'text_delta', text: plan.text };
      return [
        { ...value, index, content_block: opened },
        { type: 'content_block_delta', index, delta },
      ];
    }
    if (plan.input === undefined) return [{ ...value, index }];
    const delta = { type: 'input_json_delta', partial_json: JSON.stringify(plan.input) };
    return [
      { ...value, index, content_block: { ...block, input: {} } },
      { type: 'content_block_delta', index, delta },
    ];
  }

  const amended = rewriteStream(original, (value) => {
    const type = textOf(value['type']);
    const block = value['content_block'];
    if (type === 'content_block_start' && isRecord(block)) return start(value, block);
    if (type !== 'content_block_delta' && type !== 'content_block_stop') {
      const rest = withoutSaidAgain(value);
      const { delta } = value;
      const end = isRecord(delta) ? endOf(delta['stop_reason']) : undefined;
      if (isRecord(delta) && end !== delta['stop_reason'])
        return [{ ...rest, delta: { ...delta, stop_reason: end } }];
      return rest === value ? null : [rest];
    }
    const rewrite = typeof value['index'] === 'number' ? blocks[value['index']] : undefined;
    if (rewrite === undefined || !rewrite.keep) return [];
    if (type === 'content_block_delta' && rewrite.replaced) return [];
    return rewrite.index === value['index'] ? null : [{ ...value, index: rewrite.index }];
  });
  confirmAmended(readStream(amended), amendment);
  return amended;
}

/** The answer with the amendment applied, in its own form. */
export function amendMessages(original: Buffer, streaming: boolean, amendment: Amendment): Buffer {
  return streaming ? amendStream(original, amendment) : amendJson(original, amendment);
}
