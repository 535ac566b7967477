import { describe, expect, it } from 'vitest';
import { checkSignature, parseCheckpoint, parseVerifierKey } from '../../../src/ledger/verify/note.ts';
import { isRefusal } from '../../../src/ledger/verify/reasons.ts';
import { signNote, verifierKeyOf } from '../../support/ledger-builder.ts';

const origin = 'holdpoint/00112233445566778899aabbccddeeff';
const root = Buffer.alloc(32, 7);
const note = signNote('one', origin, 5, root);
const keyText = verifierKeyOf('one', origin);

function codeOf(text: string, keys = [keyText]): string {
  const parsed = parseCheckpoint(Buffer.from(text));
  if (isRefusal(parsed)) return parsed.code;
  const trusted = keys.flatMap((key) => {
    const read = parseVerifierKey(key);
    return isRefusal(read) ? [] : [read];
  });
  return checkSignature(parsed, trusted)?.code ?? 'ok';
}

describe('a verifier key', () => {
  it('of the signed-note specification is read', () => {
    const text = 'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW';
    expect(parseVerifierKey(text)).toMatchObject({ origin: 'PeterNeumann', keyHash: 'c74f20a3' });
  });

  it.each([
    ['nothing', '', 'verifier_key_malformed'],
    ['another hash', keyText.replace(/\+[0-9a-f]{8}\+/, '+00000000+'), 'verifier_key_malformed'],
    ['another name', `x${keyText}`, 'verifier_key_malformed'],
    ['no padding', keyText.replace(/.$/, ''), 'verifier_key_malformed'],
    ['another algorithm', keyText.replace(/\+A[A-Za-z0-9+/]/, '+Ag'), 'algorithm_unsupported'],
  ])('with %s is refused', (_name, text, code) => {
    expect(parseVerifierKey(text)).toMatchObject({ code });
  });
});

describe('a checkpoint', () => {
  it('is read into origin, size and root, and its signature holds', () => {
    expect(parseCheckpoint(Buffer.from(note))).toMatchObject({ origin, size: 5, root: new Uint8Array(root) });
    expect(codeOf(note)).toBe('ok');
  });

  it('keeps its signature when others sign it too', () => {
    const cosigned = signNote('witness', origin, 5, root).split('\n').at(-2) ?? '';
    expect(codeOf(note.replace('\n\n', `\n\n${cosigned}\n`))).toBe('ok');
  });

  it.each([
    ['size with a leading zero', note.replace('\n5\n', '\n05\n'), 'note_malformed'],
    ['extension line', note.replace('\n\n', '\nmore\n\n'), 'note_malformed'],
    ['carriage return', note.replace('\n5\n', '\r\n5\n'), 'note_malformed'],
    ['hyphen for the dash', note.replace('\u2014', '-'), 'note_malformed'],
    ['missing last line end', note.slice(0, -1), 'note_malformed'],
    ['missing signature line', note.slice(0, note.indexOf('\u2014')), 'signature_missing'],
    ['missing blank line and signature', note.slice(0, note.indexOf('\n\n') + 1), 'signature_missing'],
    ['other size', note.replace('\n5\n', '\n6\n'), 'signature_invalid'],
    ['key that is not trusted', signNote('two', origin, 5, root), 'key_unknown'],
  ])('with a %s is refused', (_name, text, code) => {
    expect(codeOf(text)).toBe(code);
  });

  it('signed with S + L is refused, although S + L verifies as S does', () => {
    const line = note.split(' ').at(-1) ?? '';
    const bytes = Buffer.from(line.trim(), 'base64');
    const order = 2n ** 252n + 27742317777372353535851937790883648493n;
    const scalar = BigInt(`0x${Buffer.from(bytes.subarray(36)).reverse().toString('hex')}`) + order;
    const moved = Buffer.from(scalar.toString(16).padStart(64, '0'), 'hex').reverse();
    const malleated = Buffer.concat([bytes.subarray(0, 36), moved]).toString('base64');
    expect(codeOf(note.replace(line, `${malleated}\n`))).toBe('signature_malleable');
  });
});
