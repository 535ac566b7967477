/** Where the dot segments of a path lead: what servers do not agree on has no operation. */
import { expect, test } from 'vitest';
import { hasTooManySegments, isUnclear } from '../../../src/provider/route.ts';

test.each([
  ['over an empty segment', '/v1/chat/completions//..'],
  ['over an empty segment further up', '/v1/chat/completions//x/../..'],
  ['over a segment of parameters alone', '/v1/chat/completions/;a=1/..'],
  ['over a blank one', '/v1/chat/completions/%20/..'],
  ['behind an encoded question mark', '/v1/x%3F/../chat/completions'],
  ['behind a number sign', '/v1/x%23/..%2fchat/completions'],
  ['behind one encoded twice', '/v1/x%253F/../chat/completions'],
  ['above the root', '/v1/../../openai/v1/chat/completions'],
  ['with parameters of their own', '/v1/chat/completions/..;/'],
  ['over a backslash', '/v1/chat/x\\../../completions'],
])('a path leads elsewhere for some servers whose dot segments lead %s', (_where, path) => {
  expect(isUnclear(path)).toBe(true);
});

test.each([
  '/v1/chat/completions',
  '/v1/./chat/x/../completions',
  '/anything//at/../all;p=1',
  '/v1/raw/..%2frealtime',
  '/v1/files/a..b/content',
  '/v1/files/what%3F/content',
  '/model/arn%3Aaws%3Abedrock%2Fx..y/converse',
])('a path leads to one place: %s', (path) => {
  expect(isUnclear(path)).toBe(false);
});

test.each(['/', '/a', '\\', '%2f', '%2Fa', '%252f', '%25252F', '%5c'])(
  'a path of 256 separators is read and one of 257 is not, written as %j',
  (separator) => {
    expect(hasTooManySegments(separator.repeat(256))).toBe(false);
    expect(hasTooManySegments(separator.repeat(257))).toBe(true);
  },
);
