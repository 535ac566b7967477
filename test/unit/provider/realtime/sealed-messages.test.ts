/** What is read back of sealed messages, and what is taken for none. */
import { expect, test } from 'vitest';
import { decodeSocketBody, encodeSocketBody } from '../../../../src/provider/realtime/body.ts';
import { readSocketRequest } from '../../../../src/provider/realtime/understood.ts';

const said = {
  model: 'm',
  stream: true,
  params: { temperature: 1 },
  system: 'Be brief.',
  messages: [{ role: 'user', text: 'Pay.', toolCalls: [] }],
  text: 'Be brief.\nPay.',
  tools: [{ name: 'pay', description: 'Pays.' }],
};

test('whoever is asked besides is read back with what they are told', () => {
  const { stream: _ofAll, ...own } = said;
  const insteads = [{ model: 'w' }, { ...own, model: 'x', system: 'Rank.' }];
  const facts = { ...said, insteads };
  expect(readSocketRequest(encodeSocketBody({ facts, defects: ['a doubt'] }, []))).toEqual({
    facts,
    defects: ['a doubt'],
  });
});

test('a message whose end is not where its line says is none', () => {
  const data = Buffer.from('hello');
  const record = { atMs: 0, sender: 'client', opcode: 'text', way: 'passed', bytes: 5, data } as const;
  const body = encodeSocketBody({ facts: said, defects: [] }, [{ ...record, sha256: '' }]);
  expect(decodeSocketBody(body).records).toHaveLength(1);
  body[body.length - 1] = 0x78;
  expect(() => decodeSocketBody(body)).toThrow(RangeError);
});
