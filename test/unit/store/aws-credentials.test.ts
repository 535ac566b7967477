/** Where Amazon credentials come from, and what becomes of them when their file changes. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openAwsCredentials } from '../../../src/store/aws-credentials.ts';
import { atEnd, endAll } from '../../support/endings.ts';

let file: string;
let nowMs = 0;
beforeEach(() => {
  const dir = mkdtempSync(join(tmpdir(), 'holdpoint-aws-'));
  atEnd(() => rmSync(dir, { recursive: true }));
  file = join(dir, 'credentials');
  nowMs = 1_000_000;
});
afterEach(endAll);

const open = (env: Readonly<Record<string, string>> = {}) =>
  openAwsCredentials({ AWS_SHARED_CREDENTIALS_FILE: file, ...env }, 'upstreams.bedrock.sign', () => nowMs);
const section = (profile: string, id: string, token = ''): string =>
  `[${profile}]\n# of a session\naws_access_key_id = ${id}\naws_secret_access_key=secret/of+${id}=\n${token}`;

test('they stand in Amazon’s own variables, before any file', () => {
  writeFileSync(file, section('default', 'file'));
  const env = { AWS_ACCESS_KEY_ID: 'a', AWS_SECRET_ACCESS_KEY: 'b', AWS_SESSION_TOKEN: 'c' };
  expect(open(env)()).toEqual({ accessKeyId: 'a', secretAccessKey: 'b', sessionToken: 'c' });
});

test.each([
  [{}, /upstreams\.bedrock\.sign: the environment has no AWS_ACCESS_KEY_ID and no AWS_SECRET_ACCESS_KEY/],
  [{ AWS_ACCESS_KEY_ID: 'a', AWS_SECRET_ACCESS_KEY: '' }, /has no AWS_SECRET_ACCESS_KEY\.$/],
])('variables that are missing are named', (env, message) => {
  expect(() => openAwsCredentials(env, 'upstreams.bedrock.sign', () => 0)).toThrow(message);
});

test('of a file those of the profile are taken', () => {
  writeFileSync(
    file,
    `${section('default', 'one')}\r\n${section('other', 'two', 'aws_session_token = t\n')}`,
  );
  expect(open()()).toEqual({ accessKeyId: 'one', secretAccessKey: 'secret/of+one=' });
  const other = { accessKeyId: 'two', secretAccessKey: 'secret/of+two=', sessionToken: 't' };
  expect(open({ AWS_PROFILE: 'other' })()).toEqual(other);
});

test('a file that holds none for the profile is refused at the start', () => {
  writeFileSync(file, section('default', 'one'));
  expect(() => open({ AWS_PROFILE: 'other' })).toThrow(expect.objectContaining({ code: 'config_invalid' }));
});

test('a file is read again when it changes, and what it no longer holds is not used on', () => {
  writeFileSync(file, section('default', 'one'));
  const current = open();
  writeFileSync(file, section('default', 'another'));
  nowMs += 1_000;
  expect(current().accessKeyId).toBe('another');
  writeFileSync(file, '[default]\naws_access_key_id = half\n');
  nowMs += 1_000;
  expect(current).toThrow(expect.objectContaining({ code: 'upstream_unreachable' }));
});
