/**
 * How the demonstration provider reads questions and writes answers in each API's form, whole and as
 * stream events, each form as the provider's public documentation shows it. Pure.
 */
import { isRecord, type JsonRecord, textOf } from '../provider/wire/json.ts';
import type { Answer, OfferedTool, Question } from './answer.ts';

/** One API: how its requests are read and its answers written. */
export interface AnswerForm {
  questionOf(body: JsonRecord): Question;
  whole(question: Question, answer: Answer, serial: number): JsonRecord;
  /** The stream's events, each whole with its blank line. */
  events(question: Question, answer: Answer, serial: number, body: JsonRecord): readonly string[];
}

const createdAt = 1_700_000_000;
const pieceChars = 14;

function pieces(text: string): readonly string[] {
  const out: string[] = [];
  for (let at = 0; at < text.length; at += pieceChars) out.push(text.slice(at, at + pieceChars));
  return out;
}

function event(name: string, data: JsonRecord): string {
  return `${name === '' ? '' : `event: ${name}\n`}data: ${JSON.stringify(data)}\n\n`;
}

function listOf(value: unknown): readonly JsonRecord[] {
  return Array.isArray(value) ? value.filter(isRecord) : [];
}

function contentOf(content: unknown): string {
  if (typeof content === 'string') return content;
  return listOf(content)
    .map((part) => textOf(part['text']))
    .join(' ');
}

function toolsOf(list: unknown): readonly OfferedTool[] {
  return listOf(list).map((tool) => {
    const inner = isRecord(tool['function']) ? tool['function'] : tool;
    const schema = inner['parameters'] ?? inner['input_schema'];
    const properties = isRecord(schema) && isRecord(schema['properties']) ? schema['properties'] : {};
    return { name: textOf(inner['name']), properties };
  });
}

function questionFrom(body: JsonRecord, messages: readonly JsonRecord[], afterToolResult: boolean): Question {
  const user = messages.findLast((message) => message['role'] === 'user');
  return {
    model: textOf(body['model']) || 'demo-model',
    stream: body['stream'] === true,
    prompt: contentOf(user?.['content']),
    tools: toolsOf(body['tools']),
    afterToolResult,
    inputChars: JSON.stringify(messages).length,
  };
}

function chatUsage(answer: Answer): JsonRecord {
  const { inputTokens, outputTokens } = answer;
  return {
    prompt_tokens: inputTokens,
    completion_tokens: outputTokens,
    total_tokens: inputTokens + outputTokens,
  };
}

export const chatForm: AnswerForm = {
  questionOf(body) {
    const messages = listOf(body['messages']);
    return questionFrom(body, messages, messages.at(-1)?.['role'] === 'tool');
  },
  whole(question, answer, serial) {
    const call = answer.call;
    const toolCalls =
      call === null
        ? {}
        : {
            tool_calls: [
              {
                id: `call_demo_${serial}`,
                type: 'function',
                function: { name: call.name, arguments: call.argumentsText },
              },
            ],
          };
    const content = answer.text === '' ? null : answer.text;
    return {
      id: `chatcmpl-demo-${serial}`,
      object: 'chat.completion',
      created: createdAt,
      model: question.model,
      choices: [
        {
          index: 0,
          message: { role: 'assistant', content, refusal: null, ...toolCalls },
          logprobs: null,
          finish_reason: call === null ? 'stop' : 'tool_calls',
        },
      ],
      usage: chatUsage(answer),
      system_fingerprint: 'fp_demo',
    };
  },
  events(question, answer, serial, body) {
    const frame = {
      id: `chatcmpl-demo-${serial}`,
      object: 'chat.completion.chunk',
      created: createdAt,
      model: question.model,
      system_fingerprint: 'fp_demo',
    };
    const chunk = (delta: JsonRecord, finish: string | null) =>
      event('', { ...frame, choices: [{ index: 0, delta, logprobs: null, finish_reason: finish }] });
    const call = answer.call;
    const out = [chunk({ role: 'assistant', content: call === null ? '' : null }, null)];
    for (const piece of pieces(answer.text)) out.push(chunk({ content: piece }, null));
    if (call !== null) {
      const fn = { name: call.name, arguments: '' };
      const opening = { index: 0, id: `call_demo_${serial}`, type: 'function', function: fn };
      out.push(chunk({ tool_calls: [opening] }, null));
      for (const piece of pieces(call.argumentsText)) {
        out.push(chunk({ tool_calls: [{ index: 0, function: { arguments: piece } }] }, null));
      }
    }
    out.push(chunk({}, call === null ? 'stop' : 'tool_calls'));
    const options = body['stream_options'];
    if (isRecord(options) && options['include_usage'] === true) {
      out.push(event('', { ...frame, choices: [], usage: chatUsage(answer) }));
    }
    out.push('data: [DONE]\n\n');
    return out;
  },
};

function responseItem(answer: Answer, serial: number): JsonRecord {
  if (answer.call !== null) {
    return {
      id: `fc_demo_${serial}`,
      type: 'function_call',
      status: 'completed',
      call_id: `call_demo_${serial}`,
      name: answer.call.name,
      arguments: answer.call.argumentsText,
    };
  }
  const part = { type: 'output_text', text: answer.text, annotations: [] };
  return {
    id: `msg_demo_${serial}`,
    type: 'message',
    role: 'assistant',
    status: 'completed',
    content: [part],
  };
}

function responseObject(question: Question, answer: Answer, serial: number, done: boolean): JsonRecord {
  const { inputTokens, outputTokens } = answer;
  return {
    id: `resp_demo_${serial}`,
    object: 'response',
    created_at: createdAt,
    status: done ? 'completed' : 'in_progress',
    error: null,
    incomplete_details: null,
    instructions: null,
    model: question.model,
    output: done ? [responseItem(answer, serial)] : [],
    parallel_tool_calls: true,
    tool_choice: 'auto',
    tools: [],
    metadata: {},
    usage: done
      ? {
          input_tokens: inputTokens,
          input_tokens_details: { cached_tokens: 0 },
          output_tokens: outputTokens,
          output_tokens_details: { reasoning_tokens: 0 },
          total_tokens: inputTokens + outputTokens,
        }
      : null,
  };
}

export const responsesForm: AnswerForm = {
  questionOf(body) {
    const input = body['input'];
    const items = typeof input === 'string' ? [{ role: 'user', content: input }] : listOf(input);
    const last = items.at(-1);
    return questionFrom(body, items, isRecord(last) && textOf(last['type']).endsWith('_output'));
  },
  whole: (question, answer, serial) => responseObject(question, answer, serial, true),
  events(question, answer, serial) {
    const out: string[] = [];
    const emit = (type: string, members: JsonRecord) =>
      out.push(event(type, { type, sequence_number: out.length, ...members }));
    const item = responseItem(answer, serial);
    const place = { item_id: item['id'], output_index: 0 };
    const begun = responseObject(question, answer, serial, false);
    emit('response.created', { response: begun });
    emit('response.in_progress', { response: begun });
    const call = answer.call;
    const empty = call === null ? { content: [] } : { arguments: '' };
    const opened = { ...item, status: 'in_progress', ...empty };
    emit('response.output_item.added', { output_index: 0, item: opened });
    if (call !== null) {
      for (const delta of pieces(call.argumentsText)) {
        emit('response.function_call_arguments.delta', { ...place, delta });
      }
      emit('response.function_call_arguments.done', {
        ...place,
        name: call.name,
        arguments: call.argumentsText,
      });
    } else {
      const at = { ...place, content_index: 0 };
      const part = { type: 'output_text', annotations: [] };
      emit('response.content_part.added', { ...at, part: { ...part, text: '' } });
      for (const delta of pieces(answer.text)) {
        emit('response.output_text.delta', { ...at, delta, logprobs: [] });
      }
      emit('response.output_text.done', { ...at, text: answer.text, logprobs: [] });
      emit('response.content_part.done', { ...at, part: { ...part, text: answer.text } });
    }
    emit('response.output_item.done', { output_index: 0, item });
    emit('response.completed', { response: responseObject(question, answer, serial, true) });
    return out;
  },
};

function hasToolResult(message: JsonRecord | undefined): boolean {
  return listOf(message?.['content']).some((block) => block['type'] === 'tool_result');
}

export const messagesForm: AnswerForm = {
  questionOf(body) {
    const messages = listOf(body['messages']);
    return questionFrom(body, messages, hasToolResult(messages.at(-1)));
  },
  whole(question, answer, serial) {
    const call = answer.call;
    const block: JsonRecord =
      call === null
        ? { type: 'text', text: answer.text }
        : {
            type: 'tool_use',
            id: `toolu_demo_${serial}`,
            name: call.name,
            input: JSON.parse(call.argumentsText),
          };
    return {
      id: `msg_demo_${serial}`,
      type: 'message',
      role: 'assistant',
      model: question.model,
      content: [block],
      stop_reason: call === null ? 'end_turn' : 'tool_use',
      stop_sequence: null,
      usage: { input_tokens: answer.inputTokens, output_tokens: answer.outputTokens },
    };
  },
  events(question, answer, serial) {
    const out: string[] = [];
    const emit = (type: string, members: JsonRecord) => out.push(event(type, { type, ...members }));
    const { stop_reason: stopReason, ...message } = this.whole(question, answer, serial);
    const usage = { input_tokens: answer.inputTokens, output_tokens: 1 };
    emit('message_start', { message: { ...message, content: [], stop_reason: null, usage } });
    const call = answer.call;
    const opened =
      call === null
        ? { type: 'text', text: '' }
        : { type: 'tool_use', id: `toolu_demo_${serial}`, name: call.name, input: {} };
    emit('content_block_start', { index: 0, content_block: opened });
    emit('ping', {});
    for (const piece of pieces(call === null ? answer.text : call.argumentsText)) {
      const delta =
        call === null
          ? { type: 'text_delta', text: piece }
          : { type: 'input_json_delta', partial_json: piece };
      emit('content_block_delta', { index: 0, delta });
    }
    emit('content_block_stop', { index: 0 });
    const delta = { stop_reason: stopReason, stop_sequence: null };
    emit('message_delta', { delta, usage: { output_tokens: answer.outputTokens } });
    emit('message_stop', {});
    return out;
  },
};
