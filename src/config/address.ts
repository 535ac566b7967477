/** Where something listens: host and port. */
import { z } from 'zod';

export const address = z
  .string()
  .regex(/^(\[[0-9a-fA-F:]+\]|[^:\s[\]]+):\d{1,5}$/, 'expected host:port, such as 127.0.0.1:8787')
  .refine(
    (text) => Number(text.slice(text.lastIndexOf(':') + 1)) <= 65_535,
    'expected a port of at most 65535',
  );

/** The host of an address, with its brackets where it has some. */
export function hostOf(listen: string): string {
  return listen.slice(0, listen.lastIndexOf(':'));
}
