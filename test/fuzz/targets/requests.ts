/** Every family's reader of requests: it never throws, and no text that a provider would read is missing. */
import { type ProtocolName, protocolNames } from '../../../src/core/protocol-name.ts';
import { protocolOf } from '../../../src/provider/index.ts';
import { hasTooManySegments } from '../../../src/provider/route.ts';
import { must, type Target } from '../target.ts';
import { readMessage } from './message.ts';
import { requestSeeds } from './seeds.ts';

/** Members whose texts the model reads, by operation. */
const words: readonly (readonly [operation: RegExp, read: (body: Json) => readonly unknown[]])[] = [
  [/^(chat\.completions|messages|chat|converse)$/, (body) => list(body['messages']).flatMap(contentOf)],
  [/^(messages)$/, (body) => [body['system']]],
  [/^responses$/, (body) => [body['instructions'], body['input'], ...list(body['input']).flatMap(contentOf)]],
  [/generate_content$/, (body) => list(body['contents']).flatMap((at) => textsOf(record(at)['parts']))],
];

type Json = Readonly<Record<string, unknown>>;
const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
const record = (value: unknown): Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {};
const textsOf = (value: unknown): readonly unknown[] => list(value).map((part) => record(part)['text']);
const contentOf = (message: unknown): readonly unknown[] => {
  const { content } = record(message);
  return [content, ...textsOf(content)];
};

function parsed(body: Buffer): Json {
  try {
    return record(JSON.parse(body.toString('utf8')));
  } catch (error) {
    if (error instanceof SyntaxError) return {};
    throw error;
  }
}

function requestsOf(name: ProtocolName): Target {
  const protocol = protocolOf(name);
  return {
    name: `requests-${name}`,
    seeds: () => requestSeeds(protocol),
    inputBytesMax: 65_536,
    usPerByteMax: 10,
    run(input) {
      const { method, path, contentType, body } = readMessage(input);
      // The proxy refuses it before anybody reads it.
      if (hasTooManySegments(path)) return;
      const operation = protocol.operationOf(method, path);
      const { facts, defects, batch } = protocol.readRequest(operation, body, { path, contentType });
      must(typeof facts.model === 'string' && typeof facts.text === 'string', 'a fact is not a text');
      must(typeof facts.stream === 'boolean', 'stream is neither true nor false');
      for (const line of batch?.() ?? []) {
        const head = { path: line.path, contentType: 'application/json' };
        must(
          Array.isArray(protocol.readRequest(line.operation, line.request, head).defects),
          'a line of a batch is not read',
        );
      }
      if (defects.length > 0 || operation === 'unknown') return;
      const told = parsed(body);
      for (const [of, read] of words) {
        if (!of.test(operation)) continue;
        for (const text of read(told))
          if (typeof text === 'string')
            must(facts.text.includes(text), 'a text that the model reads is missing', () =>
              JSON.stringify({ operation, text, facts }),
            );
      }
    },
  };
}

export const targets: readonly Target[] = protocolNames.map(requestsOf);
