/** A connection as the ledger knows it: who opened it, where it leads and what is spoken on it. */
import type { IncomingMessage } from 'node:http';
import { HoldpointError } from '../../core/errors.ts';
import type { RequestFacts } from '../../core/facts.ts';
import { gatewayAsks } from '../../core/gateway-headers.ts';
import { endToEndHeaders, headerOf, type RawHeaders, valuesOf } from '../../core/http-message.ts';
import { alsoAsking } from '../../provider/asked/insteads.ts';
import type { RequestBodyFacts } from '../../provider/protocol.ts';
import type { UpgradeCall } from '../call.ts';
import type { Upstream } from '../upstream.ts';

export interface SocketCall {
  readonly upstream: Upstream;
  readonly operation: string;
  readonly method: string;
  readonly target: string;
  readonly headers: RawHeaders;
  readonly credential: string;
  readonly facts: RequestFacts;
  /** Whom the handshake's header fields have a gateway ask as well, with everything that is said. */
  readonly besides: readonly string[];
  readonly fingerprint: (text: string) => string;
}

/** How browsers, which cannot set headers, carry a key. */
const keyProtocol = /^openai-insecure-api-key\./i;

/** The call of a connection on which `operation` is spoken. */
export function socketCallOf(
  upgrade: UpgradeCall,
  operation: string,
  told: RequestBodyFacts,
  fingerprint: (text: string) => string,
): SocketCall {
  const { upstream, method, target, headers } = upgrade;
  const key = offeredProtocols(headers).find((name) => keyProtocol.test(name));
  const credential = upgrade.credential === '' && key !== undefined ? fingerprint(key) : upgrade.credential;
  const besides = gatewayAsks(headers).names;
  // Nothing is asked by opening it.
  const facts = { ...upgrade.facts, ...alsoAsking(told, besides), operation, stream: false };
  return { upstream, operation, method, target, headers, credential, facts, besides, fingerprint };
}

/** What was told on it, as facts of the caller's. */
export function factsOn(call: SocketCall, told: RequestBodyFacts): RequestFacts {
  const { insteads: _ofItsOpening, ...own } = call.facts;
  return { ...own, ...alsoAsking(told, call.besides), stream: true };
}

const keyForm = /^[+/0-9A-Za-z]{22}==$/;

/** Throws `bad_request` unless this is a handshake that can be completed (RFC 6455 section 4.2.1). */
export function requireHandshake(req: IncomingMessage): void {
  const { rawHeaders } = req;
  const isWhole =
    keyForm.test(headerOf(rawHeaders, 'sec-websocket-key')) &&
    headerOf(rawHeaders, 'sec-websocket-version') === '13';
  if (isWhole) return;
  throw new HoldpointError(
    'bad_request',
    'This is not a WebSocket handshake of version 13.',
    'Connect with a WebSocket client.',
  );
}

/** The subprotocols offered. One of them may carry the credential, so they are never recorded. */
export function offeredProtocols(headers: RawHeaders): readonly string[] {
  const offered = valuesOf(headers, 'sec-websocket-protocol').flatMap((value) => value.split(','));
  return [...new Set(offered.map((name) => name.trim()).filter((name) => name !== ''))];
}

const ofThisHop = (name: string): boolean =>
  name === 'host' ||
  name === 'content-length' ||
  name === 'expect' ||
  name === 'prefer' ||
  name.startsWith('sec-websocket-') ||
  name.startsWith('holdpoint-');

/** The handshake's headers as the provider gets them, beside those each handshake makes itself. */
export function handshakeHeaders(headers: RawHeaders): Record<string, string> {
  const kept = endToEndHeaders(headers, ofThisHop);
  const sent: Record<string, string> = Object.create(null);
  /** The spelling in which a name came first: whoever takes these sends the last of two that are one. */
  const spelt = new Map<string, string>();
  for (let i = 0; i + 1 < kept.length; i += 2) {
    const own = kept[i] ?? '';
    const name = spelt.get(own.toLowerCase()) ?? own;
    spelt.set(own.toLowerCase(), name);
    const value = kept[i + 1] ?? '';
    const before = sent[name];
    // Several fields of one name mean what one with all their values means (RFC 9110 section 5.3).
    sent[name] = before === undefined ? value : `${before}, ${value}`;
  }
  return sent;
}

const ofTheAnswer = (name: string): boolean =>
  name.startsWith('sec-websocket-') || name === 'content-length' || name === 'holdpoint-decision';

/** Header lines of the provider's handshake that the workload gets too. */
export function relayedLines(headers: RawHeaders): string[] {
  const kept = endToEndHeaders(headers, ofTheAnswer);
  const lines: string[] = [];
  for (let i = 0; i + 1 < kept.length; i += 2) lines.push(`${kept[i]}: ${kept[i + 1]}`);
  return lines;
}
