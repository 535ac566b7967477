import fc from 'fast-check';
import { expect, test } from 'vitest';
import { HoldpointError } from '../../../src/core/errors.ts';
import { protocolOf } from '../../../src/provider/index.ts';
import type { Amendment } from '../../../src/provider/protocol.ts';
import { type Transcript, transcripts } from '../../support/transcripts.ts';

/** One JSON scalar, key or opening bracket: where a spoilt answer differs from what its provider documents. */
const token = /"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*|\bnull\b|\btrue\b|\bfalse\b|[[{\]}:,]/g;
const oddValues = [
  'null',
  '{}',
  '[]',
  '""',
  '0',
  '-1',
  '1.0',
  '1e400',
  '12345678901234567890',
  '[null]',
  '{"__proto__":{}}',
  '"\\ud800"',
  '{"length":3}',
  '[[[]]]',
  'true',
  '\n',
  '"\\u0000"',
];

interface Spoiling {
  readonly place: number;
  readonly text: string;
}

const spoiling: fc.Arbitrary<Spoiling> = fc.record({
  place: fc.nat(),
  text: fc.oneof(fc.constantFrom(...oddValues), fc.json({ maxDepth: 3 })),
});

/** The answer with some of its values replaced; bytes in a binary form are replaced as they stand. */
function spoilt({ bytes, form }: Transcript, spoilings: readonly Spoiling[]): Buffer {
  let text = bytes.toString('latin1');
  for (const { place, text: odd } of spoilings) {
    const tokens = [...text.matchAll(token)];
    const at = tokens[place % Math.max(1, tokens.length)];
    if (at === undefined) continue;
    const fits = form === 'aws-eventstream' ? odd.padEnd(at[0].length).slice(0, at[0].length) : odd;
    text =
      text.slice(0, at.index) + Buffer.from(fits).toString('latin1') + text.slice(at.index + at[0].length);
  }
  return Buffer.from(text, 'latin1');
}

const odd = fc.oneof(fc.jsonValue({ maxDepth: 4 }), fc.record({ input: fc.jsonValue() }));
const oddText = fc.oneof(fc.string(), fc.string({ unit: 'binary' }), fc.constant('\ud800'), fc.constant(''));

/** Amends the calls that stand in the answer, calls that do not, or the same twice. */
function amendmentOf(ids: readonly string[]): fc.Arbitrary<Amendment> {
  const id = fc.oneof(fc.constantFrom('', '__proto__', ...ids), fc.string());
  const toolCalls = fc.array(fc.record({ id, arguments: odd }), { maxLength: 3 });
  const either: fc.Arbitrary<Amendment>[] = [
    fc.record({ text: oddText }),
    fc.record({ toolCalls }),
    fc.record({ text: oddText, toolCalls }),
  ];
  return fc.oneof(...either);
}

function idsIn(bytes: Buffer, { family, operation, form }: Transcript): readonly string[] {
  const protocol = protocolOf(family);
  if (form === null) return protocol.readResponse(operation, 200, bytes).facts.toolCalls.map(({ id }) => id);
  const stream = protocol.openStream(operation, 200, form);
  stream.push(bytes);
  return stream.finish().reading.facts.toolCalls.map(({ id }) => id);
}

test.each(
  transcripts().map((transcript) => ({ title: `${transcript.family} ${transcript.name}`, transcript })),
)(
  'whatever is amended in whatever was answered, it is amended or refused as not fitting: $title',
  ({ transcript }) => {
    const { family, operation, form } = transcript;
    const cases = fc.array(spoiling, { maxLength: 3 }).chain((spoilings) => {
      const original = spoilt(transcript, spoilings);
      return fc.record({
        original: fc.constant(original),
        amendment: amendmentOf(idsIn(original, transcript)),
      });
    });
    fc.assert(
      fc.property(cases, ({ original, amendment }) => {
        let code = '';
        try {
          protocolOf(family).amendResponse(operation, original, form, amendment);
        } catch (error) {
          if (!(error instanceof HoldpointError)) throw error;
          code = error.code;
        }
        expect(['', 'invalid_argument']).toContain(code);
      }),
      { numRuns: 250 },
    );
  },
);
