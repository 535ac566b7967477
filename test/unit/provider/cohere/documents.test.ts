import { describe, expect, test } from 'vitest';
import { protocolOf } from '../../../../src/provider/index.ts';
import { asked, readAs } from '../lines.ts';

const cohere = protocolOf('cohere');
const read = (body: object) => readAs(null, cohere, 'parse', JSON.stringify(body));
const image = { id: 'img-0', description: 'A signature.', category: 'other' };

// cohere-ai: ParseRequest and ParseResponse, as its serializers write them.
describe('a document that Cohere reads out', () => {
  test('is asked of a model', () => {
    expect(cohere.operationOf('POST', '/v2/parse')).toBe('parse');
    const { facts, defects } = asked(cohere, 'parse', {
      model: 'parse-v5.0',
      document: { type: 'image_url', image_url: 'data:image/png;base64,AA==' },
      output_format: 'markdown',
    });
    expect(defects).toEqual([]);
    expect(facts.model).toBe('parse-v5.0');
  });

  test.each([
    ['as one text', { type: 'markdown', index: 0, markdown: { content: 'Pay 25000.', images: [image] } }],
    [
      'in blocks',
      {
        type: 'blocks',
        index: 0,
        blocks: [
          { type: 'text', text: { content: 'Pay 25000.' } },
          { type: 'image', image },
        ],
      },
    ],
    [
      'in tables',
      {
        type: 'blocks',
        index: 0,
        blocks: [
          {
            type: 'table',
            table: { type: 'html', html: '<td>Pay 25000.</td>', description: 'A signature.' },
          },
        ],
      },
    ],
  ])('reaches the rules %s', (_form, page) => {
    const meta = { billed_units: { input_tokens: 3, output_tokens: 2 } };
    const { facts, defects } = read({ id: 'a', pages: [page], meta });
    expect(defects).toEqual([]);
    expect(facts.text).toContain('Pay 25000.');
    expect(facts.text).toContain('A signature.');
    expect(facts.usage).toMatchObject({ inputTokens: 3, outputTokens: 2 });
  });

  test('is doubtful without its pages', () => {
    expect(read({ id: 'a' }).defects).toEqual(['`pages` is not a list']);
  });

  test('can hold what rules judge', () => {
    expect(cohere.readsAnswer('parse')).toBe(true);
  });
});
