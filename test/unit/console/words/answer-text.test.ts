import { describe, expect, it } from 'vitest';
import { answerText } from '../../../../src/console/words/answer-text.ts';

const nothing = { toolCalls: [], text: '', refusal: '' };

describe('an answer as one text', () => {
  it('has each call by its name, arguments laid out', () => {
    const toolCalls = [
      { name: 'transfer', argumentsText: '{"amount":1}' },
      { name: 'note', argumentsText: 'no JSON' },
    ];
    expect(answerText({ ...nothing, toolCalls })).toBe('transfer {\n  "amount": 1\n}\nnote no JSON');
  });

  it('ends with what is said, and with what was refused', () => {
    expect(answerText({ ...nothing, text: 'Done.', refusal: 'Not that.' })).toBe('Done.\nNot that.');
  });

  it('is empty where nothing was said', () => {
    expect(answerText(nothing)).toBe('');
  });
});
