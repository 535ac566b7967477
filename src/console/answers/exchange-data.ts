/** The recorded exchange of a hold, as the control port describes it. Every text in it is hostile. */
import { countText } from '../words/counts.ts';
import { flagIn, isShape, listIn, numberIn, type Shape, shapeOf, textIn, textsIn } from './shape.ts';

export interface ToolCall {
  readonly id: string;
  readonly name: string;
  /** As the provider sent them: what the workload would get. */
  readonly argumentsText: string;
  /** What else it is called, by the server of its tool or with its namespace. */
  readonly otherNames: readonly Otherwise[];
  /** Its arguments as some client reads them otherwise, as JSON. */
  readonly otherReadings: readonly Otherwise[];
  /** Which of its other readings, from 0, have the same arguments as the call. */
  readonly sameArgumentsAt: readonly number[];
}

/** Something of a call's other readings, and which of them have it, from 0. */
export interface Otherwise {
  readonly text: string;
  readonly at: readonly number[];
}

export interface Message {
  readonly role: string;
  readonly text: string;
  readonly toolCalls: readonly ToolCall[];
}

export interface RawMessage {
  readonly startLine: string;
  readonly headers: readonly (readonly [string, string])[];
  readonly body: string;
}

export interface RequestContent {
  readonly method: string;
  readonly path: string;
  readonly params: readonly (readonly [string, string])[];
  readonly system: string;
  readonly messages: readonly Message[];
  readonly tools: readonly { readonly name: string; readonly description: string }[];
  readonly raw: RawMessage;
}

export interface ResponseContent {
  readonly status: number;
  readonly text: string;
  readonly refusal: string;
  readonly toolCalls: readonly ToolCall[];
  readonly finishReason: string;
  /** '' when the provider counted none. */
  readonly tokens: string;
  readonly streamed: boolean;
  readonly raw: RawMessage;
}

export interface Exchange {
  /** As the workload sent it. */
  readonly request: RequestContent;
  /** As the provider answered; null while there is no answer. */
  readonly response: ResponseContent | null;
  /** What a reviewer put in the request's place; null where nobody did. */
  readonly amendedRequest: RequestContent | null;
  /** What a reviewer put in the answer's place; null where nobody did. */
  readonly amendedResponse: ResponseContent | null;
  /** What the sidecar could not read. */
  readonly defects: readonly string[];
}

export function readExchange(value: unknown): Exchange {
  const from = shapeOf(value, 'exchange');
  const request = (name: string): RequestContent => readRequest(shapeOf(from[name], name));
  const response = (name: string): ResponseContent => readResponse(shapeOf(from[name], name));
  return {
    request: request('request'),
    response: from['response'] === null ? null : response('response'),
    amendedRequest: from['amendedRequest'] === null ? null : request('amendedRequest'),
    amendedResponse: from['amendedResponse'] === null ? null : response('amendedResponse'),
    defects: textsIn(from, 'defects'),
  };
}

function readRequest(from: Shape): RequestContent {
  return {
    method: textIn(from, 'method'),
    path: textIn(from, 'path'),
    params: Object.entries(shapeOf(from['params'], 'params')).map(([name, param]) => [
      name,
      typeof param === 'string' ? param : (JSON.stringify(param) ?? ''),
    ]),
    system: textIn(from, 'system'),
    messages: listIn(from, 'messages', (item) => {
      const message = shapeOf(item, 'message');
      return {
        role: textIn(message, 'role'),
        text: textIn(message, 'text'),
        toolCalls: listIn(message, 'toolCalls', readToolCall),
      };
    }),
    tools: listIn(from, 'tools', (item) => {
      const tool = shapeOf(item, 'tool');
      return { name: textIn(tool, 'name'), description: textIn(tool, 'description') };
    }),
    raw: readRaw(from['raw']),
  };
}

function readResponse(from: Shape): ResponseContent {
  return {
    status: numberIn(from, 'status'),
    text: textIn(from, 'text'),
    refusal: textIn(from, 'refusal'),
    toolCalls: listIn(from, 'toolCalls', readToolCall),
    finishReason: textIn(from, 'finishReason'),
    tokens: tokensIn(from),
    streamed: flagIn(from, 'streamed'),
    raw: readRaw(from['raw']),
  };
}

function readToolCall(item: unknown): ToolCall {
  const from = shapeOf(item, 'tool call');
  const name = textIn(from, 'name');
  const others =
    from['alsoAs'] === undefined ? [] : listIn(from, 'alsoAs', (other) => shapeOf(other, 'call'));
  const names = others.map((other) => textIn(other, 'name'));
  const handed = others.map((other) => JSON.stringify(other['arguments']));
  const own = JSON.stringify(from['arguments']);
  // By another name a call may be handed a part of its arguments: what its server hands to its tool.
  const instead = handed.filter((text, i) => names[i] === name && text !== own);
  return {
    id: textIn(from, 'id'),
    name,
    argumentsText: textIn(from, 'argumentsText'),
    otherNames: found(
      names.filter((other) => other !== name),
      names,
    ),
    otherReadings: found(instead, handed),
    sameArgumentsAt: placesOf(own, handed),
  };
}

/** Each text once, with its places among all. */
function found(texts: readonly string[], all: readonly string[]): readonly Otherwise[] {
  return [...new Set(texts)].map((text) => ({ text, at: placesOf(text, all) }));
}

function placesOf(text: string, all: readonly string[]): readonly number[] {
  return all.flatMap((other, i) => (other === text ? [i] : []));
}

function tokensIn(from: Shape): string {
  const { usage } = from;
  if (!isShape(usage) || usage['source'] !== 'provider') return '';
  return `${countText(numberIn(usage, 'inputTokens'))} tokens in, ${countText(numberIn(usage, 'outputTokens'))} out`;
}

function readRaw(value: unknown): RawMessage {
  const from = shapeOf(value, 'raw');
  const flat = textsIn(from, 'headers');
  const headers: (readonly [string, string])[] = [];
  for (let i = 0; i + 1 < flat.length; i += 2) headers.push([flat[i] ?? '', flat[i + 1] ?? '']);
  return { startLine: textIn(from, 'startLine'), headers, body: textIn(from, 'body') };
}
