/**
 * Ollama's chat and generate operations, streamed: one JSON object a line, tool calls whole, the last line
 * `done` (https://docs.ollama.com/api/streaming). Pure.
 */
import type { ToolCallFact } from '../../core/facts.ts';
import { tellsTokens } from '../amending/said-again.ts';
import { note } from '../reading/reading.ts';
import type { StreamReader } from '../reading/stream.ts';
import { isAbsent, type JsonRecord, textOf } from '../wire/json.ts';
import { absorbOllamaBody, type OllamaTalk, ollamaFacts } from './chat.ts';

/** Opens a reader for one stream. */
export function createOllamaStreamReader(talk: OllamaTalk, status: number): StreamReader {
  const defects: string[] = [];
  const toolCalls: ToolCallFact[] = [];
  let source = '';
  let text = '';
  let last: JsonRecord = {};
  let done = false;
  let failed = false;

  return {
    defects,
    absorbText(data) {
      source = data;
      return null;
    },
    absorbEmpty: () => 'other',
    absorb(_event, line) {
      const said = absorbOllamaBody(talk, line, () => source, toolCalls, defects);
      text += said.text;
      const model = textOf(line.model) || textOf(last.model);
      const isError = !isAbsent(line.error);
      if (isError) failed = true;
      const ends = line.done === true;
      if (!ends && !isAbsent(line.done) && line.done !== false) {
        note(defects, '`done` is neither true nor false');
      }
      if (ends && done) note(defects, 'the stream ends twice');
      last = done ? last : { ...line, model };
      if (ends) done = true;
      if (said.calls) return 'tool';
      if (isError) return 'error';
      if (ends) return 'end';
      if (said.shows) return 'text';
      return tellsTokens(line) ? 'tool' : 'other';
    },
    reading() {
      // Those are written as pieces of one call by gateways that see no places, such as LiteLLM: one without arguments gets another's.
      if (toolCalls.length > 1 && toolCalls.some(({ argumentsText }) => argumentsText === ''))
        note(defects, 'pieces of one tool call may belong to another');
      return { facts: ollamaFacts(status, last, text, toolCalls), defects, complete: done, failed };
    },
  };
}
