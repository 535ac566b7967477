import { expect, test } from 'vitest';
import { mayBeJson } from '../../../../src/provider/wire/media-signature.ts';

const latin1 = (text: string): Buffer => Buffer.from(text, 'latin1');

test.each([
  ['PNG', '\x89PNG\r\n\x1a\n\0\0\0\rIHDR'],
  ['JPEG', '\xff\xd8\xff\xe0\0\x10JFIF'],
  ['GIF', 'GIF89a\x01\0\x01\0'],
  ['WAV', 'RIFF\x24\x08\0\0WAVEfmt '],
  ['WebP', 'RIFF\x24\x08\0\0WEBPVP8 '],
  ['Ogg', 'OggS\0\x02'],
  ['FLAC', 'fLaC\0\0\0\x22'],
  ['MP3 with a tag', 'ID3\x04\0\0'],
  ['MP3 without', '\xff\xfb\x90\x44'],
  ['MP4', '\0\0\0 ftypisom'],
])('%s is no JSON', (_kind, bytes) => {
  expect(mayBeJson(latin1(bytes))).toBe(false);
});

test.each([
  ['an object', Buffer.from('{"inputs":"a"}')],
  ['a text that names a format', Buffer.from('"abcftyp"')],
  ['UTF-8 with a mark', Buffer.from('\ufeff{"inputs":"a"}')],
  ['UTF-16, little-endian, with a mark', Buffer.from('\ufeff{"inputs":"a"}', 'utf16le')],
  ['UTF-16, big-endian', Buffer.from('{"\u6674\u7970"}', 'utf16le').swap16()],
  ['nothing', Buffer.alloc(0)],
])('%s may be', (_what, bytes) => {
  expect(mayBeJson(bytes)).toBe(true);
});
