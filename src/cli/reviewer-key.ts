/** A reviewer's private key in a file of their own, and what it signs. */
import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign,
} from 'node:crypto';
import { closeSync, fstatSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { ed25519Text } from '../core/ed25519.ts';
import { HoldpointError, refusalOf } from '../core/errors.ts';
import {
  enrolmentMessage,
  orderDigest,
  type RulingStatement,
  rulingMessage,
  statementText,
} from '../core/ruling-statement.ts';
import { syncDirectory } from '../store/whole-file.ts';

export interface ReviewerKeyFile {
  /** Base64 of 32 bytes. */
  readonly publicKey: string;
  /** The proof that an enrolment needs. */
  possession(origin: string, owner: string): string;
  /** What the control port takes as a signed ruling. */
  signOrder(order: Readonly<Record<string, unknown>>, about: RulingAbout): SignedOrder;
}

/** What a statement says beside the order, its time and the key. */
export type RulingAbout = Omit<RulingStatement, 'key' | 'order' | 'time'>;

export interface SignedOrder {
  readonly signed: { readonly order: string; readonly statement: string; readonly value: string };
}

/** Makes a key in a new file that only its owner reads; durable when it returns. Throws `usage` where the file exists. */
export function writeReviewerKey(file: string): ReviewerKeyFile {
  const { privateKey } = generateKeyPairSync('ed25519');
  try {
    const pem = privateKey.export({ format: 'pem', type: 'pkcs8' });
    writeFileSync(file, pem, { mode: 0o600, flag: 'wx', flush: true });
    syncDirectory(dirname(file));
  } catch (error) {
    throw new HoldpointError(
      'usage',
      `${file} cannot be made: ${refusalOf(error)}.`,
      'Name another file with --out.',
      error,
    );
  }
  return keyFile(privateKey);
}

/** Throws `usage` for what is no Ed25519 key in PEM, or a file that others may read. */
export function readReviewerKey(file: string): ReviewerKeyFile {
  try {
    const fd = openSync(file, 'r');
    try {
      if ((fstatSync(fd).mode & 0o077) !== 0) throw new Error('others may read it; run chmod 600 on it');
      const privateKey = createPrivateKey(readFileSync(fd, 'utf8'));
      if (privateKey.asymmetricKeyType !== 'ed25519') throw new Error('it is no Ed25519 key');
      return keyFile(privateKey);
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    throw new HoldpointError(
      'usage',
      `The key ${file} cannot be used: ${refusalOf(error)}.`,
      'Make one with: holdpoint reviewer key new --name NAME',
      error,
    );
  }
}

function keyFile(privateKey: KeyObject): ReviewerKeyFile {
  const key = ed25519Text(createPublicKey(privateKey));
  const signed = (message: Buffer): string => sign(null, message, privateKey).toString('base64');
  return {
    publicKey: key,
    possession: (origin, owner) => signed(enrolmentMessage(origin, owner, key)),
    signOrder: (given, about) => {
      const order = JSON.stringify({ ...given, salt: randomBytes(32).toString('hex') });
      const time = new Date().toISOString();
      const statement = statementText({ ...about, key, order: orderDigest(order), time });
      return { signed: { order, statement, value: signed(rulingMessage(statement)) } };
    },
  };
}
