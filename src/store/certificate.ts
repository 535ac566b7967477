/**
 * The two certificates of the local authority (RFC 5280): its own, good for the configured hosts alone, and a short
 * one for each of them. ECDSA on P-256 with SHA-256. Pure: keys, time and serial numbers are handed in.
 */
import { createHash, createPublicKey, type KeyObject, sign } from 'node:crypto';
import { isIP, SocketAddress } from 'node:net';
import {
  bitString,
  booleanTrue,
  objectId,
  octetString,
  sequence,
  set,
  tagged,
  taggedPrimitive,
  time,
  unsignedInteger,
  utf8String,
} from '../core/der.ts';

const ecdsaWithSha256 = sequence(objectId('1.2.840.10045.4.3.2'));
const commonName = objectId('2.5.4.3');
const version3 = tagged(0, unsignedInteger(Buffer.of(2)));
const serverAuthentication = objectId('1.3.6.1.5.5.7.3.1');
/** KeyUsage bits (section 4.2.1.3): digitalSignature is bit 0; keyCertSign and cRLSign are bits 5 and 6. */
const usedByHost = bitString(Buffer.of(0x80), 7);
const usedByAuthority = bitString(Buffer.of(0x06), 1);

/** Not the host, which stands in the alternative name: OpenSSL would check an address here as if it were a name. */
const hostSubject = 'Holdpoint sidecar';

export interface Validity {
  readonly fromMs: number;
  readonly untilMs: number;
}

export interface AuthorityCertificate extends Validity {
  readonly key: KeyObject;
  readonly name: string;
  /** Host names and addresses that it may vouch for; at least one. */
  readonly hosts: readonly string[];
  readonly serial: Buffer;
}

export interface HostCertificate extends Validity {
  readonly host: string;
  readonly publicKey: KeyObject;
  readonly issuerKey: KeyObject;
  readonly issuerName: string;
  readonly serial: Buffer;
}

/** The authority's own certificate, in PEM. Clients that check name constraints accept it for nothing but `hosts`. */
export function makeAuthorityCertificate({
  key,
  name,
  hosts,
  serial,
  ...validity
}: AuthorityCertificate): string {
  const publicKey = createPublicKey(key);
  const extensions = [
    // It issues for hosts only, never for another authority.
    extension('2.5.29.19', true, sequence(booleanTrue, unsignedInteger(Buffer.of(0)))),
    extension('2.5.29.15', true, usedByAuthority),
    constraintsTo(hosts),
    extension('2.5.29.14', false, octetString(keyIdentifier(publicKey))),
  ];
  return signed(key, { name, issuerName: name, serial, publicKey, validity, extensions });
}

/** A certificate for one host, in PEM. */
export function makeHostCertificate(options: HostCertificate): string {
  const { host, publicKey, issuerKey, issuerName, serial, ...validity } = options;
  const issuer = keyIdentifier(createPublicKey(issuerKey));
  const extensions = [
    extension('2.5.29.19', true, sequence()),
    extension('2.5.29.15', true, usedByHost),
    extension('2.5.29.37', false, sequence(serverAuthentication)),
    extension('2.5.29.17', false, sequence(alternativeName(host))),
    extension('2.5.29.14', false, octetString(keyIdentifier(publicKey))),
    extension('2.5.29.35', false, sequence(taggedPrimitive(0, issuer))),
  ];
  return signed(issuerKey, { name: hostSubject, issuerName, serial, publicKey, validity, extensions });
}

interface Contents {
  readonly name: string;
  readonly issuerName: string;
  readonly serial: Buffer;
  readonly publicKey: KeyObject;
  readonly validity: Validity;
  readonly extensions: readonly Buffer[];
}

function signed(key: KeyObject, contents: Contents): string {
  const toSign = sequence(
    version3,
    unsignedInteger(contents.serial),
    ecdsaWithSha256,
    distinguishedName(contents.issuerName),
    sequence(time(contents.validity.fromMs), time(contents.validity.untilMs)),
    distinguishedName(contents.name),
    spkiOf(contents.publicKey),
    tagged(3, sequence(...contents.extensions)),
  );
  const der = sequence(toSign, ecdsaWithSha256, bitString(sign('sha256', toSign, key)));
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}

const distinguishedName = (name: string): Buffer => sequence(set(sequence(commonName, utf8String(name))));

const extension = (id: string, critical: boolean, value: Buffer): Buffer =>
  sequence(objectId(id), ...(critical ? [booleanTrue] : []), octetString(value));

const spkiOf = (key: KeyObject): Buffer => key.export({ type: 'spki', format: 'der' });

/** Section 4.2.1.2 leaves the form open; the truncated hash of RFC 7093 method 1. */
const keyIdentifier = (key: KeyObject): Buffer =>
  createHash('sha256').update(spkiOf(key)).digest().subarray(0, 20);

/** GeneralName: `[2]` is a DNS name, `[7]` an address. */
function alternativeName(host: string): Buffer {
  return isIP(host) === 0
    ? taggedPrimitive(2, Buffer.from(host, 'latin1'))
    : taggedPrimitive(7, addressBytes(host));
}

/** The extension that keeps an authority to these hosts: in DER it stands in the certificate as it is here. */
export const constraintsTo = (hosts: readonly string[]): Buffer =>
  extension('2.5.29.30', true, nameConstraints(hosts));

/**
 * Section 4.2.1.10. A form of name that no subtree permits is unconstrained, so where no address is a host, all
 * addresses are excluded.
 */
function nameConstraints(hosts: readonly string[]): Buffer {
  const names = hosts.filter((host) => isIP(host) === 0);
  const addresses = hosts.filter((host) => isIP(host) !== 0).map(addressBytes);
  const permitted = [
    // With no host name among them, one that cannot exist (RFC 6761 section 6.4) keeps all others out.
    ...(names.length > 0 ? names : ['invalid']).map((name) =>
      taggedPrimitive(2, Buffer.from(name, 'latin1')),
    ),
    ...addresses.map((bytes) => taggedPrimitive(7, Buffer.concat([bytes, Buffer.alloc(bytes.length, 0xff)]))),
  ];
  const excluded = [4, 16]
    .filter((length) => !addresses.some((bytes) => bytes.length === length))
    .map((length) => taggedPrimitive(7, Buffer.alloc(2 * length)));
  const subtrees = (names: readonly Buffer[]): Buffer[] => names.map((name) => sequence(name));
  return sequence(
    tagged(0, ...subtrees(permitted)),
    ...(excluded.length === 0 ? [] : [tagged(1, ...subtrees(excluded))]),
  );
}

function addressBytes(address: string): Buffer {
  if (isIP(address) === 4) return Buffer.from(address.split('.').map(Number));
  // Node writes the address in RFC 5952's form: at most one `::`, no dotted part left after the first step.
  const { address: short } = new SocketAddress({ address: withoutDots(address), family: 'ipv6' });
  const [head = '', tail] = withoutDots(short).split('::');
  const groups = (text: string): string[] => (text === '' ? [] : text.split(':'));
  const before = groups(head);
  const after = tail === undefined ? [] : groups(tail);
  const all = [...before, ...Array<string>(8 - before.length - after.length).fill('0'), ...after];
  const bytes = Buffer.alloc(16);
  for (const [i, group] of all.entries()) bytes.writeUInt16BE(Number.parseInt(group, 16), i * 2);
  return bytes;
}

/** `::ffff:127.0.0.1` as `::ffff:7f00:1`. */
function withoutDots(address: string): string {
  const dotted = /[\d.]+$/.exec(address)?.[0] ?? '';
  if (!dotted.includes('.')) return address;
  const [a = 0, b = 0, c = 0, d = 0] = dotted.split('.').map(Number);
  const groups = `${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`;
  return address.slice(0, -dotted.length) + groups;
}
