/**
 * Promises that an SDK rejects and leaves to nobody. They end a workload's process unless it listens for them,
 * so they are collected for the document; those of anybody else still fail the test run.
 */
import { atEnd } from '../support/endings.ts';

const event = 'unhandledRejection';

/** Collects, in words, the rejections that come from inside these packages, until the test file ends. */
export function collectUnhandled(packages: readonly string[]): ReadonlySet<string> {
  const others = process.listeners(event);
  const found = new Set<string>();
  const listener: NodeJS.UnhandledRejectionListener = (reason, promise) => {
    const stack = reason instanceof Error ? (reason.stack ?? '') : '';
    const from = packages.find((name) => stack.includes(`/node_modules/${name}/`));
    if (from === undefined || !(reason instanceof Error)) for (const other of others) other(reason, promise);
    else found.add(`${from}: “${reason.message}”`);
  };
  process.removeAllListeners(event);
  process.on(event, listener);
  atEnd(() => {
    process.off(event, listener);
    for (const other of others) process.on(event, other);
  });
  return found;
}
