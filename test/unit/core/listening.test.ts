/** What is said where an address cannot be listened on. */
import { createServer } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { HoldpointError } from '../../../src/core/errors.ts';
import { listening } from '../../../src/core/listening.ts';
import { atEnd, endAll } from '../../support/endings.ts';

afterEach(endAll);

async function refusalAt(host: string, port: number): Promise<string> {
  try {
    await listening(createServer(), { host, port }, 'proxy.listen');
  } catch (error) {
    if (error instanceof HoldpointError) return `${error.code} ${error.next}`;
    throw error;
  }
  return 'it listens';
}

test('a port that is taken may be given up by whoever has it', async () => {
  const first = createServer();
  const bound = await listening(first, { host: '127.0.0.1', port: 0 }, 'proxy.listen');
  atEnd(() => {
    first.close();
  });
  expect(await refusalAt('127.0.0.1', Number(bound.split(':')[1]))).toBe(
    'config_invalid Choose another proxy.listen or stop what uses it.',
  );
});

test('an address of another machine is used by nobody here', async () => {
  expect(await refusalAt('192.0.2.1', 0)).toBe('config_invalid Choose another proxy.listen.');
});
