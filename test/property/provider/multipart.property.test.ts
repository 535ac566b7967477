import fc from 'fast-check';
import { expect, test } from 'vitest';
import { protocolOf } from '../../../src/provider/index.ts';
import { readForm } from '../../../src/provider/reading/multipart.ts';

const name = fc.stringMatching(/^[a-z_]{1,8}(\[\])?$/);
const fieldPart = fc.record({ name, text: fc.string({ unit: 'grapheme', maxLength: 30 }) });
const filePart = fc.record({
  // No field begins so: a field and a file of one name are a defect.
  name: name.map((one) => `F_${one}`),
  fileName: fc.stringMatching(/^[\w. ()-]{0,20}\w$/),
  content: fc.uint8Array({ maxLength: 60 }),
});
const generatedForm = fc.record({
  fields: fc.uniqueArray(fieldPart, { selector: (part) => part.name, maxLength: 6 }),
  files: fc.array(filePart, { maxLength: 4 }),
});

test('what the platform’s FormData writes reads back as it was', async () => {
  await fc.assert(
    fc.asyncProperty(generatedForm, async ({ fields, files }) => {
      const data = new FormData();
      for (const field of fields) data.append(field.name, field.text);
      for (const file of files) data.append(file.name, new Blob([file.content]), file.fileName);
      const request = new Request('http://x', { method: 'POST', body: data });
      const bytes = Buffer.from(await request.arrayBuffer());
      const { parts, defects } = readForm(request.headers.get('content-type') ?? '', bytes);
      expect(defects).toEqual([]);
      // The platform writes every line break of a field as CR LF (RFC 7578 section 4.8).
      const written = (text: string) => text.replace(/\r\n|\r|\n/g, '\r\n');
      expect(parts.map((part) => [part.name, part.fileName, part.text])).toEqual([
        ...fields.map((field) => [field.name, null, written(field.text)]),
        ...files.map((file) => [file.name, file.fileName, '']),
      ]);
      expect(parts.slice(fields.length).map((part) => part.bytes)).toEqual(
        files.map((file) => file.content.length),
      );
    }),
    { numRuns: 150 },
  );
});

/** Forms made of the bytes that parsers stumble over. */
const awkward = fc
  .array(
    fc.constantFrom(
      '--b',
      '--b--',
      '\r\n',
      '\n',
      '\r',
      '\r\n\r\n',
      'content-disposition: form-data; name="model"',
      'content-disposition: form-data; name=a; filename=b',
      'content-type: text/plain',
      '"',
      '\\',
      ';',
      ' ',
      'x',
      '\0',
      'é',
    ),
    { maxLength: 24 },
  )
  .map((parts) => Buffer.from(parts.join('')));

test('no bytes make the reader throw', () => {
  fc.assert(
    fc.property(awkward, fc.string({ maxLength: 40 }), (body, words) => {
      expect(Array.isArray(readForm('multipart/form-data; boundary=b', body).defects)).toBe(true);
      expect(Array.isArray(readForm(`multipart/form-data${words}`, body).defects)).toBe(true);
    }),
    { numRuns: 1_000 },
  );
});

/** How a forgiving parser reads a form: every kind of line break, words around the parts, the first name that looks like one. */
function forgivingModels(body: string): readonly string[] {
  return body
    .split(/(?:^|\r\n|\n|\r)--b[ \t]*(?:--)?/)
    .slice(1)
    .flatMap((part) => {
      const [head = '', ...rest] = part.split(/\r\n\r\n|\n\n/);
      const names = /;\s*name="?([^";\r\n]*)/i.exec(head)?.[1];
      return names === 'model' ? [rest.join('\n\n').trim()] : [];
    });
}

test('where a forgiving parser finds a model that this one does not, there is a defect', () => {
  fc.assert(
    fc.property(awkward, (body) => {
      const { parts, defects } = readForm('multipart/form-data; boundary=b', body);
      const strict = parts.filter((part) => part.name === 'model').map((part) => part.text.trim());
      const forgiving = forgivingModels(body.toString('utf8'));
      if (JSON.stringify(strict) !== JSON.stringify(forgiving)) expect(defects).not.toEqual([]);
    }),
    { numRuns: 2_000 },
  );
});

test('a mutated form is read as the platform reads it, or has a defect', async () => {
  const openai = protocolOf('openai');
  const whole =
    '--b\r\nContent-Disposition: form-data; name="model"\r\n\r\ngpt-image-1\r\n' +
    '--b\r\nContent-Disposition: form-data; name="prompt"\r\n\r\na cat\r\n' +
    '--b\r\nContent-Disposition: form-data; name="image"; filename="a.png"\r\n\r\n123\r\n--b--\r\n';
  const mutation = fc.record({
    at: fc.nat(),
    remove: fc.nat({ max: 4 }),
    insert: fc.constantFrom('', '\r\n', '\n', '--b', '"', ';', ' ', 'x', '\r\n--b\r\n'),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(mutation, { minLength: 1, maxLength: 3 }), async (mutations) => {
      let body = whole;
      for (const { at, remove, insert } of mutations) {
        const place = at % (body.length + 1);
        body = body.slice(0, place) + insert + body.slice(place + remove);
      }
      const contentType = 'multipart/form-data; boundary=b';
      const head = { path: '/v1/images/edits', contentType };
      const { facts, defects } = openai.readRequest('images.edits', Buffer.from(body), head);
      if (defects.length > 0) return;
      const data = await new Response(body, { headers: { 'content-type': contentType } })
        .formData()
        .catch(() => null);
      if (data === null) return;
      expect(facts.model).toBe(data.get('model') ?? '');
      expect(facts.text).toBe(data.get('prompt') ?? '');
    }),
    { numRuns: 500 },
  );
});
