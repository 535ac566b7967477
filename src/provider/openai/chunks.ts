/**
 * How streams of OpenAI's kind end, and what the chunks of chat completions and of completions say beside their
 * choices. Pure.
 */
import type { UsageFacts } from '../../core/facts.ts';
import { usageAbsent } from '../reading/reading.ts';
import type { StreamReader } from '../reading/stream.ts';
import { isAbsent, isRecord, type JsonRecord, textOf } from '../wire/json.ts';
import { readChatUsage } from './chat.ts';

/** Owned by whoever opened it. */
export interface StreamEnd extends Pick<StreamReader, 'absorbText' | 'absorbEmpty'> {
  /** `[DONE]` was seen. */
  done: boolean;
  /** An error was. */
  failed: boolean;
}

/** A stream that ends with `[DONE]`, and in which an event may be an error without saying which. */
export function openStreamEnd(): StreamEnd {
  const end: StreamEnd = {
    done: false,
    failed: false,
    absorbText: (data) => {
      if (data.trim() !== '[DONE]') return null;
      end.done = true;
      return 'end';
    },
    absorbEmpty: (event) => {
      if (event !== 'error') return 'other';
      end.failed = true;
      return 'error';
    },
  };
  return end;
}

export interface ChunkHead {
  model: string;
  fingerprint: string;
  usage: UsageFacts;
}

export function nothingSaid(): ChunkHead {
  return { model: '', fingerprint: '', usage: usageAbsent };
}

/** Takes what a chunk says beside its choices; true where it is an error, whatever else it carries. */
export function absorbChunkHead(
  head: ChunkHead,
  end: StreamEnd,
  { event, chunk }: { readonly event: string; readonly chunk: JsonRecord },
): boolean {
  if (textOf(chunk.model) !== '') head.model = textOf(chunk.model);
  if (textOf(chunk.system_fingerprint) !== '') head.fingerprint = textOf(chunk.system_fingerprint);
  if (isRecord(chunk.usage)) head.usage = readChatUsage(chunk.usage);
  // vLLM's error has its members at the top.
  const isError = event === 'error' || !isAbsent(chunk.error) || chunk.object === 'error';
  if (isError) end.failed = true;
  return isError;
}
