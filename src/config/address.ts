/** Where something listens, host and port, and where others are reached. */
import { isIP } from 'node:net';
import { z } from 'zod';

const expected = 'expected host:port, such as 127.0.0.1:8787';

export const address = z
  .string(expected)
  .regex(/^(\[[0-9a-fA-F:]+\]|[^:\s[\]]+):\d{1,5}$/, { error: expected, abort: true })
  .refine((text) => portOf(text) <= 65_535, 'expected a port of at most 65535');

/** Where others are reached by HTTP: with no credentials in front of the host, which would not be sent and would be logged. */
export const webUrl = z
  .url({ protocol: /^https?$/ })
  .refine((text) => !hasUser(text), 'expected a URL without user and password, which are not sent');

export function hasUser(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { username, password } = new URL(text);
  return username !== '' || password !== '';
}

/** A name or an address, with neither scheme nor port. */
export function isHostAlone(text: string): boolean {
  return isIP(text) !== 0 || /^[A-Za-z0-9_][A-Za-z0-9._-]*$/.test(text);
}

/** The host of an address, with its brackets where it has some. */
export function hostOf(listen: string): string {
  return listen.slice(0, listen.lastIndexOf(':'));
}

export function portOf(listen: string): number {
  return Number(listen.slice(listen.lastIndexOf(':') + 1));
}

/** Whether a host stands for all that this machine has; nobody can go there from elsewhere. */
export function isEveryAddress(host: string): boolean {
  return host === '0.0.0.0' || host === '[::]';
}
