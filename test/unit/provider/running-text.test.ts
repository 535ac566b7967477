/** A text in pieces of which nobody knows what they are parts of: rules see it as lines, and as clients put it together. */
import { describe, expect, test } from 'vitest';
import { protocolOf } from '../../../src/provider/index.ts';
import { converseFrames } from './bedrock/written.ts';
import { readAs } from './lines.ts';
import { events } from './streams.ts';

const openai = protocolOf('openai');
const token = (text: string, whole: string | null = null) => ({
  token: { id: 1, text, special: false },
  generated_text: whole,
});
const part = (text: string) => ({ content: { parts: [{ text }] } });
const output = (document: string) => ['flowOutputEvent', { content: { document } }] as const;

describe('a text in pieces is read as one,', () => {
  test.each([
    ['of Text Generation Inference', openai, 'served.generate', events(token('SEC'), token('RET'))],
    ['of SGLang', openai, 'served.generate', events({ text: 'SEC' }, { text: 'RET' })],
    [
      'of a reasoning engine',
      protocolOf('vertex'),
      'reasoning_engines.query',
      events(part('SEC'), part('RET')),
    ],
  ])('%s', (_whose, protocol, operation, stream) => {
    expect(readAs('sse', protocol, operation, stream).facts.text).toBe('SEC\nRET\nSECRET');
  });

  test('of a flow of Bedrock’s', () => {
    const frames = converseFrames(output('SEC'), output('RET'));
    const { facts } = readAs('aws-eventstream', protocolOf('bedrock'), 'flows.invoke', frames);
    expect(facts.text).toBe('SEC\nRET\nSECRET');
  });

  test('of Replicate, whose answer is a list of them', () => {
    const { facts } = readAs(null, openai, 'hosted.model', JSON.stringify({ output: ['SEC', 'RET'] }));
    expect(facts.text).toBe('SEC\nRET\nSECRET');
  });
});

test('a text that is said again as one is read once', () => {
  const { facts } = readAs('sse', openai, 'served.generate', events(token('SEC'), token('RET', 'SECRET')));
  expect(facts.text).toBe('SEC\nRET\nSECRET');
  expect(readAs('sse', openai, 'served.generate', events({ text: 'Hi' })).facts.text).toBe('Hi');
});
