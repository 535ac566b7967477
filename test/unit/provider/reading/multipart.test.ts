import { describe, expect, test } from 'vitest';
import { formPartsMax, isForm, readForm } from '../../../../src/provider/reading/multipart.ts';

const type = 'multipart/form-data; boundary=b0';
const field = (name: string, value: string) =>
  `content-disposition: form-data; name="${name}"\r\n\r\n${value}`;
const file = (name: string, fileName: string, content: string) =>
  `Content-Disposition: form-data; name="${name}"; filename="${fileName}"\r\nContent-Type: image/png\r\n\r\n${content}`;
/** A form of whole parts, framed as every client frames it. */
const form = (...parts: readonly string[]) =>
  `${parts.map((part) => `--b0\r\n${part}\r\n`).join('')}--b0--\r\n`;
const read = (body: string | Buffer, contentType = type) => readForm(contentType, Buffer.from(body));
const bytesOf = async (data: FormData) => {
  const request = new Request('http://x', { method: 'POST', body: data });
  return {
    type: request.headers.get('content-type') ?? '',
    bytes: Buffer.from(await request.arrayBuffer()),
  };
};

test('a form has its fields with their text and its files with their names, types and sizes', () => {
  expect(read(form(field('model', 'gpt-image-1'), file('image[]', 'cät.png', 'é')))).toEqual({
    parts: [
      {
        name: 'model',
        fileName: null,
        contentType: '',
        text: 'gpt-image-1',
        bytes: 11,
        content: Buffer.from('gpt-image-1'),
      },
      {
        name: 'image[]',
        fileName: 'cät.png',
        contentType: 'image/png',
        text: '',
        bytes: 2,
        content: Buffer.from('é'),
      },
    ],
    defects: [],
  });
});

test('what the platform’s own FormData writes is read without a defect', async () => {
  const data = new FormData();
  data.append('prompt', 'line one\r\nline two — ☀️');
  data.append('image[]', new Blob(['\r\n--\r\n']), 'quote".png');
  data.append('image[]', new Blob([]), 'b.png');
  const { type: contentType, bytes } = await bytesOf(data);
  const { parts, defects } = readForm(contentType, bytes);
  expect(defects).toEqual([]);
  expect(parts.map(({ name, text, bytes: size }) => [name, text, size])).toEqual([
    ['prompt', 'line one\r\nline two — ☀️', 29],
    ['image[]', '', 6],
    ['image[]', '', 0],
  ]);
});

test.each([
  ['no last line break', form(field('a', 'x')).slice(0, -2)],
  ['no parts at all', '--b0--\r\n'],
  ['a file whose contents were left out', form(file('file', 'a', ''))],
  ['headers in capitals', form(field('a', 'x').toUpperCase().replace('FORM-DATA', 'form-data'))],
  ['an unquoted name', form('Content-Disposition: form-data; name=a\r\n\r\nx')],
  ['the same list twice', form(field('a[]', 'x'), field('a[]', 'y'))],
  [
    'plain text said to be Latin-1',
    form(`content-type: text/plain; charset=ISO-8859-1\r\n${field('a', 'x')}`),
  ],
  ['two files of one name', form(file('f', 'a', '1'), file('f', 'b', '2'))],
  [
    'a name written twice, as .NET does',
    form("Content-Disposition: form-data; name=f; filename=a.txt; filename*=utf-8''a.txt\r\n\r\nx"),
  ],
])('%s is no defect', (_what, body) => {
  expect(read(body).defects).toEqual([]);
});

test.each(['multipart/form-data; boundary="b0"', 'Multipart/Form-Data;charset=utf-8; Boundary=b0'])(
  'the content type %s is read',
  (contentType) => {
    expect(read(form(field('a', 'x')), contentType).defects).toEqual([]);
  },
);

describe('readers would disagree about', () => {
  test.each([
    ['two boundaries', 'multipart/form-data; boundary=b0; boundary=b1'],
    ['no boundary', 'multipart/form-data'],
    ['an empty boundary', 'multipart/form-data; boundary='],
    ['a boundary in two pieces', 'multipart/form-data; boundary*0=b; boundary*1=0'],
    ['a boundary beside an extended one', "multipart/form-data; boundary=b0; boundary*=utf-8''b1"],
    ['an escape in the boundary', 'multipart/form-data; boundary="b\\0"'],
    ['a boundary that is too long', `multipart/form-data; boundary=${'b'.repeat(71)}`],
    ['another multipart type', 'multipart/mixed; boundary=b0'],
    ['two types in one field', 'application/json, multipart/form-data; boundary=b0'],
  ])('%s', (_what, contentType) => {
    expect(read(form(field('a', 'x')), contentType).defects).not.toEqual([]);
  });

  const a = field('a', 'x');
  test.each([
    ['an empty body', ''],
    ['words before the first part', `hello\r\n${form(a)}`],
    ['words after the last part', `${form(a)}hello`],
    ['a second form behind the first', form(a) + form(a)],
    ['no last boundary', `--b0\r\n${a}\r\n`],
    ['line feeds alone', form(a).replaceAll('\r\n', '\n')],
    ['a boundary after a line feed alone', form(field('a', `x\n--b0\r\n${field('model', 'm')}`))],
    ['a boundary within a line', form(field('a', 'x--b0'))],
    ['a boundary that goes on', form(field('a', 'x\r\n--b01\r\n'))],
    ['blanks after a boundary', form(a).replace('--b0\r\n', '--b0 \r\n')],
    ['a part without headers', form('\r\nx')],
    ['a part without an end of its headers', form('content-disposition: form-data; name="a"')],
    ['a folded header', form('content-disposition: form-data;\r\n name="a"\r\n\r\nx')],
    ['a blank before the colon', form('content-disposition : form-data; name="a"\r\n\r\nx')],
    ['a header twice', form(`content-disposition: form-data; name="b"\r\n${a}`)],
    ['a header with a control', form('content-disposition: form-data; name="a\0"\r\n\r\nx')],
    ['another disposition', form('content-disposition: attachment; name="a"\r\n\r\nx')],
    ['no name', form('content-disposition: form-data; filename="a"\r\n\r\nx')],
    ['two names', form('content-disposition: form-data; name="a"; name="b"\r\n\r\nx')],
    ['an extended name', form("content-disposition: form-data; name=a; name*=utf-8''b\r\n\r\nx")],
    ['an escaped quote', form('content-disposition: form-data; name="a\\"; filename="b"\r\n\r\nx')],
    ['an encoded name', form(field('mod%65l', 'x'))],
    ['a name with a blank', form(field('model ', 'x'))],
    ['an empty file name', form('content-disposition: form-data; name="a"; filename=""\r\n\r\nx')],
    [
      'two different file names',
      form("content-disposition: form-data; name=f; filename=a; filename*=utf-8''b\r\n\r\nx"),
    ],
    ['a transfer encoding', form(`content-transfer-encoding: base64\r\n${a}`)],
    ['a field that may be a file', form(`content-type: application/octet-stream\r\n${a}`)],
    ['a form within the form', form(`content-type: multipart/mixed; boundary=c\r\n${a}`)],
    ['another character set', form(`content-type: text/plain; charset=utf-7\r\n${a}`)],
    ['Latin-1 that is not plain', form(`content-type: text/plain; charset=ISO-8859-1\r\n${field('a', 'é')}`)],
    ['a character set of its own', form(field('_charset_', 'utf-7'), a)],
    ['a field twice', form(a, field('a', 'y'))],
    ['a field that is also a file', form(a, file('a', 'b', 'y'))],
    ['more parts than anyone needs', form(...Array.from({ length: formPartsMax + 1 }, () => a))],
  ])('%s', (_what, body) => {
    expect(read(body).defects).not.toEqual([]);
  });

  test('a field that is not UTF-8', () => {
    const body = Buffer.concat([Buffer.from(`--b0\r\n${field('a', '')}`), Buffer.from([0xff])]);
    expect(read(Buffer.concat([body, Buffer.from('\r\n--b0--\r\n')])).defects).not.toEqual([]);
  });
});

test.each([
  ['multipart/form-data; boundary=x', true],
  [' MULTIPART/mixed', true],
  ['application/json', false],
  ['', false],
])('the content type "%s" is a form: %s', (contentType, expected) => {
  expect(isForm(contentType)).toBe(expected);
});
