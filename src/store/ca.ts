/**
 * The local certificate authority on disk: a private key that is made once and stays, and a certificate over it
 * that is good for the configured hosts alone and made anew when those change.
 */
import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  X509Certificate,
} from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { RandomBytes } from '../core/clock.ts';
import { HoldpointError, messageOf, refusalOf } from '../core/errors.ts';
import {
  constraintsTo,
  makeAuthorityCertificate,
  makeHostCertificate,
  type Validity,
} from './certificate.ts';
import { makePrivateDirectory } from './directory.ts';
import { writeWholeFile } from './whole-file.ts';

const dayMs = 86_400_000;
const authorityMs = 3650 * dayMs;
/** A start within this span of its end makes a new certificate: workloads need time to get it. */
const authorityLeftMsMin = 90 * dayMs;
const hostMs = 7 * dayMs;
/** The clocks of sidecar and workload may differ. */
const backdatedMs = dayMs;
const serialBytes = 16;
const subject = 'Holdpoint local authority';

export interface IssuedCertificate extends Validity {
  readonly certificate: string;
  readonly key: KeyObject;
}

export interface LocalAuthority {
  /** What workloads trust, in PEM. */
  readonly certificate: string;
  /** A certificate for one of the hosts, over a key that never touches a disk. Throws RangeError for other hosts. */
  issue(host: string): IssuedCertificate;
}

export interface AuthorityOptions {
  /** The private key, mode 0600; made when it is missing. */
  readonly keyFile: string;
  /** The certificate, which is public: mode 0644. */
  readonly certificateFile: string;
  /** Names and addresses in lower case; at least one. */
  readonly hosts: readonly string[];
  readonly nowMs: () => number;
  readonly random: RandomBytes;
}

/** Opens the authority, making what is missing. Throws `config_invalid` when a file cannot be read, written or used. */
export function openAuthority(options: AuthorityOptions): LocalAuthority {
  const { keyFile, hosts, nowMs, random } = options;
  const key = openKey(keyFile);
  const certificate = openCertificate(key, options);
  const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return {
    certificate,
    issue: (host) => {
      if (!hosts.includes(host)) throw new RangeError(`No certificate is made for ${host}.`);
      const validity = { fromMs: nowMs() - backdatedMs, untilMs: nowMs() + hostMs };
      const made = makeHostCertificate({
        ...validity,
        host,
        publicKey: pair.publicKey,
        issuerKey: key,
        issuerName: subject,
        serial: newSerial(random),
      });
      return { ...validity, certificate: made, key: pair.privateKey };
    },
  };
}

/**
 * The certificate of an authority that was opened before, in PEM and without anything that others wrote beside it.
 * Throws `usage` when there is none, `config_invalid` when it cannot be read.
 */
export function readAuthorityCertificate(file: string): string {
  if (existsSync(file)) {
    const text = readText(file);
    try {
      return new X509Certificate(text).toString();
    } catch (error) {
      throw new HoldpointError(
        'config_invalid',
        `${file} is not a certificate in PEM.`,
        'Remove it: the next start makes it anew, over the same key.',
        error,
      );
    }
  }
  throw new HoldpointError(
    'usage',
    `There is no certificate ${file} yet.`,
    'It is made on the first start with proxy.forward or proxy.transparent: holdpoint run --config FILE.',
  );
}

function openKey(file: string): KeyObject {
  if (!existsSync(file)) {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    write(
      file,
      privateKey.export({ type: 'pkcs8', format: 'pem' }),
      0o600,
      'Make keys.dir writable, or put a key there: openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256',
    );
  }
  const text = readText(file);
  let cause: unknown;
  try {
    const key = createPrivateKey(text);
    if (key.asymmetricKeyDetails?.namedCurve === 'prime256v1') return key;
  } catch (error) {
    cause = error;
  }
  throw new HoldpointError(
    'config_invalid',
    `${file} is not a private key on P-256 in PEM.`,
    'Restore it, or remove it: another is made, and workloads must then trust the new certificate.',
    cause,
  );
}

function openCertificate(key: KeyObject, options: AuthorityOptions): string {
  const { certificateFile, nowMs, random } = options;
  const hosts = [...new Set(options.hosts)].sort();
  if (existsSync(certificateFile)) {
    const text = readText(certificateFile);
    if (isCurrent(text, key, hosts, nowMs())) return text;
    if (!isReplaceable(text))
      throw new HoldpointError(
        'config_invalid',
        `${certificateFile} holds something else than the certificate of an authority here, and it would be lost.`,
        'Name a file of its own in proxy.caFile, or remove what is there: the certificate is made at the start.',
      );
  }
  const certificate = makeAuthorityCertificate({
    key,
    hosts,
    name: subject,
    serial: newSerial(random),
    fromMs: nowMs() - backdatedMs,
    untilMs: nowMs() + authorityMs,
  });
  // Its readers are other users.
  write(certificateFile, certificate, 0o644, 'Name a file that can be written in proxy.caFile.');
  return certificate;
}

/** Whether the certificate on disk is ours, for these hosts and for long enough. Others may be able to write there. */
function isCurrent(text: string, key: KeyObject, hosts: readonly string[], nowMs: number): boolean {
  let kept: X509Certificate;
  try {
    kept = new X509Certificate(text);
  } catch {
    // Not a certificate: it is made anew.
    return false;
  }
  const inTime =
    Date.parse(kept.validFrom) <= nowMs && Date.parse(kept.validTo) >= nowMs + authorityLeftMsMin;
  return inTime && kept.verify(createPublicKey(key)) && kept.raw.includes(constraintsTo(hosts));
}

/** One certificate that says it is ours, of whoever: not a policy or an authority's own that was named by mistake. */
function isReplaceable(text: string): boolean {
  const rest = text.replace(/-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]*-----END CERTIFICATE-----/, '');
  if (rest.trim() !== '') return false;
  try {
    return new X509Certificate(text).subject === `CN=${subject}`;
  } catch {
    // Whatever it was, nobody can use it.
    return true;
  }
}

/** Positive and never zero (RFC 5280 section 4.1.2.2). */
function newSerial(random: RandomBytes): Buffer {
  const bytes = Buffer.from(random(serialBytes));
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40;
  return bytes;
}

/** There whole or not at all. */
function write(file: string, text: string | Buffer, mode: number, next: string): void {
  try {
    makePrivateDirectory(dirname(file));
    writeWholeFile(file, text, mode);
  } catch (error) {
    throw new HoldpointError('config_invalid', `Cannot write ${file}: ${messageOf(error)}.`, next, error);
  }
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new HoldpointError(
      'config_invalid',
      `${file} cannot be read: ${refusalOf(error)}.`,
      'Let the sidecar’s user read it.',
      error,
    );
  }
}
