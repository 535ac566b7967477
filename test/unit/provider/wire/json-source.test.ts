import { expect, test } from 'vitest';
import { protocolOf } from '../../../../src/provider/index.ts';
import { memberSources } from '../../../../src/provider/wire/json-source.ts';

const sourcesOf = (text: string) => Object.fromEntries(memberSources(text, 'content', 'input'));

test('each member is found as it was written', () => {
  const text =
    '{"a":[{"input":0}],"content": [ {"type":"text"}, {"input": {"n": 1.0, "b":[{"input":2}]} ,"z":1}, 7, {"\\u0069nput":[ ]}]}';
  expect(sourcesOf(text)).toEqual({ 1: '{"n": 1.0, "b":[{"input":2}]}', 3: '[ ]' });
});

test('texts that look like structure are passed over', () => {
  expect(sourcesOf('{"content":[{"t":"},{\\"input\\":","input":"a,b}"}],"x":{"input":1}}')).toEqual({
    0: '"a,b}"',
  });
});

test('a text without the list has none', () => {
  expect(sourcesOf('{"content":{"input":1},"x":[[{"input":1}]]}')).toEqual({});
});

test('the input of an anthropic call keeps a number that parsing would change', () => {
  const body = Buffer.from(
    '{"content":[{"type":"tool_use","id":"t","name":"pay","input":{"n": 12345678901234567890}}]}',
  );
  const { facts } = protocolOf('anthropic').readResponse('messages', 200, body);
  expect(facts.toolCalls[0]?.argumentsText).toBe('{"n": 12345678901234567890}');
});
