/** What a reviewer changes in an answer of Vercel's gateway, as the AI SDK then has it. */
import { describe, expect, test } from 'vitest';
import { amended, codeOf, readAs } from '../lines.ts';
import { events } from '../streams.ts';
import { answer, call, finish, model, openai, paying, said, stream, streamedBy } from './gateway-answers.ts';

describe('an amendment', () => {
  const toFive = { toolCalls: [{ id: 'c', arguments: { amount: 5 } }] };

  test('of a call in a stream reaches the SDK in the place of the call', async () => {
    const raw = { type: 'raw', rawValue: '25000' };
    const changed = amended('sse', openai, model, paying + events(raw), toFive);
    expect(changed).not.toContain('25000');
    // Nor do its pieces tell anything else.
    expect(readAs('sse', openai, model, changed).facts.toolCalls[0]?.alsoAs).toBeUndefined();
    expect(await streamedBy(changed)).toMatchObject({ text: 'One moment.', calls: [['pay', { amount: 5 }]] });
  });

  test('takes a call out, and puts a text in the place of another', async () => {
    const without = amended('sse', openai, model, paying, { withheld: ['c'] });
    expect((await streamedBy(without)).calls).toEqual([]);
    const other = amended('sse', openai, model, paying, { text: 'Later.' });
    expect((await streamedBy(other)).text).toBe('Later.');
  });

  test('of a whole answer changes what it names alone', () => {
    const bytes = answer(
      { type: 'text', text: 'One ' },
      { type: 'text', text: 'moment.' },
      call('{"amount":25000}'),
    );
    const { content } = JSON.parse(amended(null, openai, model, bytes, { ...toFive, text: 'Later.' }));
    expect(content).toEqual([
      { type: 'text', text: 'Later.' },
      { type: 'text', text: '' },
      call('{"amount":5}'),
    ]);
    const left = JSON.parse(amended(null, openai, model, bytes, { withheld: ['c'] }));
    expect(left.content.length).toBe(2);
  });

  test('of a text leaves none of it in the other member that may have it', () => {
    const told = stream(
      { ...said('One.'), text: 'One.' },
      { type: 'text-delta', id: 't', text: 'Two.' },
      finish,
    );
    const result = amended('sse', openai, model, told, { text: 'Later.' });
    expect(result).not.toMatch(/One|Two/);
    expect(result).toContain('"text":""');
  });

  test('is refused where two calls have one id, of which none can be meant', () => {
    const twice = stream(call('{}'), call('{}'), finish);
    expect(codeOf(() => amended('sse', openai, model, twice, toFive))).toBe('invalid_argument');
  });

  test('is refused of a part that nobody knows, whose input has no place', () => {
    const toolCalls = [{ id: '#1', arguments: { amount: 5 } }];
    expect(codeOf(() => amended(null, openai, model, answer({ type: 'custom' }), { toolCalls }))).toBe(
      'invalid_argument',
    );
  });
});

describe('why an answer ended', () => {
  const other = call('{}', { toolCallId: 'd' });
  const run = call('{}', { toolCallId: 'd', providerExecuted: true });
  const text = { type: 'text', text: 'Hm.' };
  const wanted = { unified: 'tool-calls', raw: 'tool_calls' };
  const stopped = { unified: 'stop' };
  const withoutPay = { withheld: ['c'] };
  const toFive = { toolCalls: [{ id: 'c', arguments: { amount: 5 } }] };

  test.each([
    ['is the model’s stop where its only call is taken out', [text, call('{}')], wanted, withoutPay, stopped],
    ['is that in a word, where it was one', [call('{}')], 'tool-calls', withoutPay, 'stop'],
    ['is that beside a call that the provider ran', [call('{}'), run], wanted, withoutPay, stopped],
    ['stays where a call is left', [call('{}'), other], wanted, withoutPay, wanted],
    ['stays where a call is changed', [call('{}')], wanted, toFive, wanted],
    ['stays where a call is taken out that the provider ran', [run], wanted, { withheld: ['d'] }, wanted],
    ['stays where it was no call', [call('{}')], 'length', withoutPay, 'length'],
  ])('%s', (_what, parts, finishReason, amendment, meant) => {
    const whole = JSON.stringify({ content: parts, finishReason });
    expect(JSON.parse(amended(null, openai, model, whole, amendment)).finishReason).toEqual(meant);
    const told = parts.map((part) => (part === text ? said('Hm.') : part));
    const streamed = amended('sse', openai, model, stream(...told, { ...finish, finishReason }), amendment);
    expect(streamed).toContain(`"finishReason":${JSON.stringify(meant)}`);
  });
});
