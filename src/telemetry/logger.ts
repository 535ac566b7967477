/** Structured logs to standard error: what happened and to which id, never content. Only this folder imports `pino`. */
import { type Level, pino } from 'pino';
import { HoldpointError, messageOf } from '../core/errors.ts';
import { createLogOutput } from './log-output.ts';

export interface Logger {
  debug(event: string, fields: Readonly<Record<string, string | number | boolean>>): void;
  info(event: string, fields?: Readonly<Record<string, string | number | boolean>>): void;
  warn(event: string, fields?: Readonly<Record<string, string | number | boolean>>): void;
  /** An error with its code and what to do about it; for defects of ours, its stack. */
  error(event: string, error: unknown): void;
}

/** A logger that writes one JSON object per line. */
export function createLogger(level: Level | 'silent'): Logger {
  const output = createLogOutput((lines) => log.warn({ lines }, 'log lines were lost: nobody read them'));
  const log = pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime }, output);
  return {
    debug: (event, fields) => log.debug(fields, event),
    info: (event, fields = {}) => log.info(fields, event),
    warn: (event, fields = {}) => log.warn(fields, event),
    error: (event, error) => log.error(describe(error), event),
  };
}

function describe(error: unknown): Record<string, string> {
  if (error instanceof HoldpointError && error.code !== 'internal') {
    const cause = error.cause === undefined ? {} : { cause: causeOf(error.cause) };
    const next = error.next === '' ? {} : { next: error.next };
    return { code: error.code, message: error.message, ...next, ...cause };
  }
  const stack = error instanceof Error ? (error.stack ?? '') : '';
  // A parser quotes what it could not read, and that may be content: only where it happened is kept.
  if (error instanceof SyntaxError)
    return { code: 'internal', message: 'SyntaxError', stack: framesOf(stack) };
  return { code: 'internal', message: messageOf(error), stack };
}

function framesOf(stack: string): string {
  return stack
    .split('\n')
    .filter((line) => /^\s+at /.test(line))
    .join('\n');
}

function causeOf(cause: unknown): string {
  return cause instanceof SyntaxError ? 'SyntaxError' : messageOf(cause);
}
