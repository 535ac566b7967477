/** What the classifiers suspect, what they let be, and that nothing makes them slow. Every number here is made up or an example of a standard. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { classifiedCharsMax, labelsIn, suspicionsIn } from '../../../src/policy/classify/classify.ts';
import { nearCharsMax } from '../../../src/policy/classify/health.ts';

describe('an account number is suspected', () => {
  it.each([
    'pay to DE89370400440532013000 today',
    'DE89 3704 0044 0532 0130 00',
    'de89 3704 0044 0532 0130 00 EUR',
    'GB29-NWBK-6016-1331-9268-19',
    'FR14\u00a02004\u00a01010\u00a00505\u00a00001\u00a03M02\u00a0606',
    '{"iban":"NO9386011117947"}',
    'MT84MALT011000012345MTLCAST001S.',
    'DE89\t3704\t0044\t0532\t0130\t00',
    'DE89\u202f3704\u202f0044\u202f0532\u202f0130\u202f00',
    'DE89\u20113704\u20110044\u20110532\u20110130\u201100',
    'DE89.3704.0044.0532.0130.00',
  ])('%s', (text) => expect(labelsIn(text)).toEqual(['pii.iban']));

  it.each([
    ['one digit is another', 'DE89370400440532013001'],
    ['it is cut', 'DE8937040044053201300'],
    ['it goes on', 'DE893704004405320130007'],
    ['it is part of a longer word', 'XDE89370400440532013000'],
    ['no country has it', 'ZZ89370400440532013000'],
    ['it is words', 'NO15 oranges and more to come'],
    ['it is in two sentences', 'DE89.. 370400440532013000'],
  ])('but not where %s', (_, text) => expect(labelsIn(text)).toEqual([]));
});

describe('a card number is suspected', () => {
  it.each([
    '4111111111111111',
    'card 5555 5555 5555 4444, exp 12/28',
    '3782-822463-10005',
    '{"amount":12,"card":6011111111111117}',
    'Invoice 12 4111 1111 1111 1111',
    '2223003122003222',
    '3530111333300000',
  ])('%s', (text) => expect(labelsIn(text)).toEqual(['pii.card']));

  it.each([
    ['its check digit is another', '4111111111111112'],
    ['no issuer begins so', '9111111111111119'],
    ['it is a time in microseconds', '1795749523012000'],
    ['it is a row of small numbers', '41 11 11 11 11 11 11 11'],
    ['it is part of an identifier', 'ch_4111111111111111'.replace('_', 'x')],
    ['it goes on', '41111111111111110000'],
  ])('but not where %s', (_, text) => expect(labelsIn(text)).toEqual([]));
});

describe('a person is suspected by', () => {
  it.each([
    ['an address', 'write to Ada.Lovelace+x@example.co.uk!', 'pii.email'],
    ['an international number', 'call +49 (0)30 1234567', 'pii.phone'],
    ['the shortest international number', 'call +29012345', 'pii.phone'],
    ['a number that is said to be one', 'Tel.: 030 / 123 45 67', 'pii.phone'],
    ['the shortest that is said to be one', 'cell: 123-4567', 'pii.phone'],
    ['a social security number', 'SSN 123-45-6789', 'pii.ssn'],
    ['one without dashes that is said to be one', 'social security number: 123456789', 'pii.ssn'],
    ['a number with spaces and dashes as models write them', '+49\u202f30\u20111234567', 'pii.phone'],
    ['a number with such that is said to be one', 'Phone: 415\u2011555\u20110132', 'pii.phone'],
    ['a social security number with such dashes', '123\u201145\u20116789', 'pii.ssn'],
    ['one that is said to be one, with spaces', 'SSN 123\u202f45\u202f6789', 'pii.ssn'],
    ['a date of birth', 'DOB: 1990-12-31', 'pii.birth_date'],
    ['one with dashes as models write them', 'born 1990\u201112\u201131', 'pii.birth_date'],
    ['one in words', 'she was born on 3 March 1981', 'pii.birth_date'],
    ['one in words, the month first', 'she was born March 3, 1981', 'pii.birth_date'],
    ['one in German', 'geboren am 31.12.1990', 'pii.birth_date'],
  ])('%s', (_, text, label) => expect(labelsIn(text)).toEqual([label]));

  it.each([
    ['a version', 'npm i holdpoint@1.2.3'],
    ['a picture', 'see icon@2x.png'],
    ['a repository', 'git clone git@github.com'],
    ['a date', 'shipped on 2026-11-27'],
    ['a part number', 'part 000-12-3456'],
    ['a part of a longer number', '99\u2011123-45-6789 and 123-45-6789\u20111'],
    ['a sum', '1+2345678'],
    ['fewer digits than any number has', 'fax: 123-456, call +2901234'],
    ['an offset of time', '2026-11-27T03:04:05+01:00'],
    ['plain prose', 'What is a hold point in quality assurance?'],
  ])('but not by %s', (_, text) => expect(labelsIn(text)).toEqual([]));
});

describe('health data is suspected where', () => {
  it.each([
    ['an illness stands near a person', 'ada@example.com was diagnosed with diabetes', 'pii.email'],
    ['a code of ICD-10 stands near a person', 'E11.9 for DOB 1990-12-31', 'pii.birth_date'],
    ['a short code is said to be one', 'dx: E11, call +49 30 1234567', 'pii.phone'],
    ['it is German', 'ada@example.com, Krankmeldung bis Freitag', 'pii.email'],
  ])('%s', (_, text, label) => expect(labelsIn(text)).toEqual([label, 'health.data']));

  it('a medical record has a number', () => expect(labelsIn('MRN: 00123456')).toEqual(['health.data']));

  it.each([
    ['nobody is named', 'What are symptoms of diabetes?'],
    ['nobody is ill', 'ada@example.com asks about E11'],
    ['they stand far apart', `ada@example.com ${'x '.repeat(nearCharsMax)} diabetes`],
  ])('but not where %s', (_, text) => expect(labelsIn(text)).not.toContain('health.data'));

  it('also near one of several people, whatever leads to the others, and wherever they stand', () => {
    const far = 'x '.repeat(nearCharsMax);
    for (const text of [
      `ada@example.com has diabetes ${far} DE89370400440532013000`,
      `DE89370400440532013000 ${far} ada@example.com has diabetes`,
      `DE89370400440532013000 ${far} ada@example.com has diabetes ${far} 4111111111111111`,
    ])
      expect(labelsIn(text)).toContain('health.data');
  });

  it.each([
    ['before', (gap: string) => `ada@example.com${gap}diabetes`],
    ['behind', (gap: string) => `diabetes${gap}ada@example.com`],
  ])('as far as that is near, and no further: with the person %s', (_, textOf) => {
    expect(labelsIn(textOf(' '.repeat(nearCharsMax)))).toContain('health.data');
    expect(labelsIn(textOf(' '.repeat(nearCharsMax + 1)))).not.toContain('health.data');
  });

  it('also behind very many people', () => {
    const text = `${'a@example.com '.repeat(5_000)}${'x '.repeat(nearCharsMax)} diabetes`;
    expect(labelsIn(text)).toContain('health.data');
  });
});

describe('a suspicion', () => {
  it('says where and never what', () => {
    const text = 'from ada@example.com to DE89 3704 0044 0532 0130 00.';
    const found = suspicionsIn(text);
    expect(found.map(({ label, start, end }) => [label, text.slice(start, end)])).toEqual([
      ['pii.iban', 'DE89 3704 0044 0532 0130 00'],
      ['pii.email', 'ada@example.com'],
    ]);
    for (const each of found) expect(Object.keys(each).sort()).toEqual(['end', 'label', 'start']);
  });

  it('is one for each card of a row, and for no other number of it', () => {
    const text = 'no 123 4567 4111 1111 1111 1111 5555-5555-5555-4444 890';
    expect(suspicionsIn(text).map(({ start, end }) => text.slice(start, end))).toEqual([
      '4111 1111 1111 1111',
      '5555-5555-5555-4444',
    ]);
  });

  it('is found wherever the number stands', () => {
    fc.assert(
      fc.property(
        fc.stringMatching(/^[ -/:-@[-`{-~\n]*$/),
        fc.stringMatching(/^[,;!?\n]*$/),
        (before, after) => {
          const head = before.replace(/[.+%_@$-]$/, '');
          expect(labelsIn(`${head} DE89370400440532013000${after}`)).toContain('pii.iban');
          expect(labelsIn(`${head} 4111111111111111${after}`)).toContain('pii.card');
          expect(labelsIn(`${head} ada@example.com${after}`)).toContain('pii.email');
        },
      ),
    );
  });

  it('is refused, and not looked for in a part, where the text is too long', () => {
    expect(() => suspicionsIn(' '.repeat(classifiedCharsMax + 1))).toThrow('labels cannot be read');
  });

  it.each([
    ['a word', 'a'],
    ['digits', '1'],
    ['groups', '1 '],
    ['groups that could be cards', '4111 '],
    ['beginnings of accounts', 'DE89 '],
    ['addresses without an end', 'a@a.'],
    ['one address without an end', 'a.'],
    ['numbers without an end', '+1 '],
    ['signs', '@'],
    ['names of records', 'patient id '],
    ['words before a number', 'tel '],
    ['words before a date', 'born '],
    ['codes', 'E11.'],
    ['health', 'icd '],
  ])('takes time that grows with the text alone: %s', (_, piece) => {
    const text = piece.repeat(Math.floor(400_000 / piece.length));
    const startMs = performance.now();
    labelsIn(text);
    expect(performance.now() - startMs).toBeLessThan(2_000);
  });
});
