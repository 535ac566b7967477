/**
 * Writes a reviewer's amendment into a Converse answer. Blocks that are not amended, reasoning and its signature
 * above all, stay as they were: the API refuses a later turn where they changed. Pure.
 */
import {
  type ArgumentsAt,
  confirmAmended,
  objectArguments,
  planAmendment,
  rewriteJson,
  unamendable,
} from '../amending/amendment.ts';
import { withoutSaidAgain } from '../amending/said-again.ts';
import type { Amendment, ResponseReading } from '../protocol.ts';
import { isRecord, type JsonRecord } from '../wire/json.ts';
import { isCallMember, membersOf, readConverseResponse, shownBlockText } from './converse.ts';
import { type ConverseStreamReader, createConverseStreamReader } from './converse-stream.ts';
import { readFrames, rewriteFrames, type TypedEvent } from './frames.ts';

const okStatus = 200;

interface BlockPlan {
  readonly keep: boolean;
  readonly text?: string;
  readonly input?: JsonRecord;
}

/** What happens to each block, met in order: the first text takes the new one, the others go. */
function planBlocks(at: ArgumentsAt, amendment: Amendment): (call: string, text: string) => BlockPlan {
  let place = 0;
  let textWritten = false;
  return (call, text) => {
    if (call !== '') {
      const value = at.get(place);
      place += 1;
      if (value === undefined) return { keep: true };
      if (call !== 'toolUse') throw unamendable(`a ${call} has no arguments of its own`);
      return { keep: true, input: objectArguments(value) };
    }
    if (text === '' || amendment.text === undefined) return { keep: true };
    if (textWritten || amendment.text === '') return { keep: false };
    textWritten = true;
    return { keep: true, text: amendment.text };
  };
}

function amendBlock(block: JsonRecord, plan: BlockPlan): JsonRecord {
  if (plan.text !== undefined) return { text: plan.text };
  if (plan.input === undefined || !isRecord(block.toolUse)) return block;
  return { ...block, toolUse: { ...block.toolUse, input: plan.input } };
}

/** The whole answer with the amendment applied. */
export function amendConverseJson(original: Buffer, amendment: Amendment): Buffer {
  const planned = planBlocks(planAmendment(readConverseResponse(okStatus, original), amendment), amendment);
  const amended = rewriteJson(original, (body) => {
    const output = isRecord(body.output) ? body.output : {};
    const message = isRecord(output.message) ? output.message : {};
    const content: unknown[] = [];
    for (const block of Array.isArray(message.content) ? message.content : []) {
      if (!isRecord(block)) continue;
      const plan = planned(membersOf(block).find(isCallMember) ?? '', shownBlockText(block));
      if (plan.keep) content.push(amendBlock(block, plan));
    }
    return { ...withoutSaidAgain(body), output: { ...output, message: { ...message, content } } };
  });
  confirmAmended(readConverseResponse(okStatus, amended), amendment);
  return amended;
}

/**
 * What replaces each event of a stream, as `rewriteFrames` wants it. `reader` has read the whole stream, and
 * `reading` is what it says.
 */
export function converseRewrite(
  reader: ConverseStreamReader,
  reading: ResponseReading,
  amendment: Amendment,
): (type: string, value: JsonRecord) => readonly TypedEvent[] | null {
  const planned = planBlocks(planAmendment(reading, amendment), amendment);
  const plans = new Map<unknown, BlockPlan & { readonly index: number; written: boolean }>();
  let kept = 0;
  for (const [index, block] of reader.blocks()) {
    const plan = planned(block.call, block.text);
    plans.set(index, { ...plan, index: kept, written: false });
    if (plan.keep) kept += 1;
  }
  return (type, value) => {
    if (type !== 'contentBlockStart' && type !== 'contentBlockDelta' && type !== 'contentBlockStop') {
      const rest = withoutSaidAgain(value);
      return rest === value ? null : [[type, rest]];
    }
    const plan = plans.get(value.contentBlockIndex);
    // An end without a beginning says nothing.
    if (plan === undefined || !plan.keep) return [];
    const contentBlockIndex = plan.index;
    const moved = contentBlockIndex === value.contentBlockIndex ? null : [{ ...value, contentBlockIndex }];
    const replaced = plan.text !== undefined || plan.input !== undefined;
    if (type === 'contentBlockStart' && plan.input !== undefined) {
      plan.written = true;
      const input = JSON.stringify(plan.input);
      const delta = { contentBlockIndex, delta: { toolUse: { input } } };
      return [
        [type, { ...value, contentBlockIndex }],
        ['contentBlockDelta', delta],
      ];
    }
    if (type === 'contentBlockDelta' && replaced) {
      if (plan.written) return [];
      plan.written = true;
      return [[type, { ...value, contentBlockIndex, delta: { text: plan.text } }]];
    }
    return moved === null ? null : moved.map((data): TypedEvent => [type, data]);
  };
}

function readStream(bytes: Buffer): { reader: ConverseStreamReader; reading: ResponseReading } {
  const reader = createConverseStreamReader(okStatus);
  return { reader, reading: readFrames(reader, bytes) };
}

/** The stream with the amendment applied. */
export function amendConverseStream(original: Buffer, amendment: Amendment): Buffer {
  const { reader, reading } = readStream(original);
  const amended = rewriteFrames(original, converseRewrite(reader, reading, amendment));
  confirmAmended(readStream(amended).reading, amendment);
  return amended;
}
