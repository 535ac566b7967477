/**
 * Where a workload wants to go: host and port as CONNECT, an absolute target, Host and SNI say them, in one form
 * so that they can be compared. Everything here is hostile input. Pure.
 */
import { isIP, isIPv4, isIPv6 } from 'node:net';
import type { Upstream } from '../upstream.ts';

export interface Destination {
  /** A name in lower case without a final dot, or an address without brackets. */
  readonly host: string;
  readonly port: number;
}

/** A place that workloads call, and the upstreams behind it: mounted where their paths begin there. */
export interface Site extends Destination {
  readonly scheme: 'https' | 'http';
  readonly upstreams: readonly Upstream[];
}

export const defaultPorts = { https: 443, http: 80 } as const;

const hostCharactersMax = 253;
const label = /^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$/;

/** A host in its one form; null for what is neither a name nor an address as everybody writes it. */
export function readHost(text: string): string | null {
  if (text.startsWith('[')) {
    const address = text.endsWith(']') ? text.slice(1, -1) : '';
    return isIPv6(address) && !address.includes('%') ? shortest(address) : null;
  }
  if (isIPv4(text)) return text;
  const name = text.replace(/\.$/, '').toLowerCase();
  const labels = name.split('.');
  if (name.length > hostCharactersMax || !labels.every((part) => label.test(part))) return null;
  // 127.1, 2130706433 and 0x7f.1 are addresses to some resolvers and names to others.
  return /^(\d+|0x[0-9a-f]*)$/.test(labels.at(-1) ?? '') ? null : name;
}

/** `host:port`, `host` where there is a default port. Null for anything else. */
export function readDestination(text: string, defaultPort: number | null): Destination | null {
  const match = /^(\[[^\]]*\]|[^:[\]]*)(?::(\d{1,5}))?$/.exec(text);
  const host = readHost(match?.[1] ?? '');
  const port = match?.[2] === undefined ? defaultPort : Number(match[2]);
  if (host === null || port === null || port < 1 || port > 65_535) return null;
  return { host, port };
}

/** `host:port` as it is shown and recorded. */
export function nameOf({ host, port }: Destination): string {
  return `${isIP(host) === 6 ? `[${host}]` : host}:${port}`;
}

export function findSite(
  sites: readonly Site[],
  scheme: Site['scheme'],
  { host, port }: Destination,
): Site | null {
  return sites.find((site) => site.scheme === scheme && site.host === host && site.port === port) ?? null;
}

/** RFC 5952's form. */
function shortest(address: string): string {
  return new URL(`http://[${address}]`).hostname.slice(1, -1);
}
