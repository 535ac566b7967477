/** Structured logs to standard error: what happened and to which id, never content. The only importer of `pino`. */
import { destination, type Level, pino } from 'pino';
import { HoldpointError, messageOf } from '../core/errors.ts';

export interface Logger {
  info(event: string, fields?: Readonly<Record<string, string | number | boolean>>): void;
  warn(event: string, fields?: Readonly<Record<string, string | number | boolean>>): void;
  /** An error with its code and, for defects of ours, its stack. */
  error(event: string, error: unknown): void;
}

/** A logger that writes one JSON object per line. */
export function createLogger(level: Level | 'silent'): Logger {
  const log = pino(
    { level, base: null, timestamp: pino.stdTimeFunctions.isoTime },
    destination({ fd: 2, sync: true }),
  );
  return {
    info: (event, fields = {}) => log.info(fields, event),
    warn: (event, fields = {}) => log.warn(fields, event),
    error: (event, error) => log.error(describe(error), event),
  };
}

function describe(error: unknown): Record<string, string> {
  if (error instanceof HoldpointError && error.code !== 'internal') {
    const cause = error.cause === undefined ? {} : { cause: messageOf(error.cause) };
    return { code: error.code, message: error.message, ...cause };
  }
  return {
    code: 'internal',
    message: messageOf(error),
    stack: error instanceof Error ? (error.stack ?? '') : '',
  };
}
