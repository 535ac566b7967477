import { describe, expect, it } from 'vitest';
import { HoldpointError } from '../../src/core/errors.ts';
import type { LedgerEvent } from '../../src/ledger/ledger-options.ts';
import { createMetrics } from '../../src/telemetry/metrics.ts';
import { onLedgerEvent } from '../../src/told.ts';

/** The lines that the log gets of an event, by level. */
function toldOf(event: LedgerEvent): readonly string[] {
  const lines: string[] = [];
  const log = {
    debug: (text: string) => void lines.push(`debug ${text}`),
    info: (text: string) => void lines.push(`info ${text}`),
    warn: (text: string) => void lines.push(`warn ${text}`),
    error: (text: string) => void lines.push(`error ${text}`),
  };
  onLedgerEvent(event, log, createMetrics(), () => null);
  return lines;
}

describe('of a ledger that is opened the log says', () => {
  const opened = { kind: 'opened', size: 7, entriesChecked: 7, closed: 0 } as const;

  it('nothing but that where all is as it should be', () => {
    expect(toldOf({ ...opened, isRemembered: true })).toEqual(['info ledger open']);
  });

  it('a warning where its high-water mark is missing', () => {
    expect(toldOf({ ...opened, isRemembered: false })).toEqual([
      'info ledger open',
      expect.stringMatching(/^warn the high-water mark was missing/),
    ]);
  });
});

describe('of a ledger that could not be written the log says', () => {
  /** The error that the log is handed. */
  function errorOf(cause: unknown): unknown {
    const told: unknown[] = [];
    const silent = () => undefined;
    const error = (_text: string, said: unknown) => void told.push(said);
    const log = { debug: silent, info: silent, warn: silent, error };
    onLedgerEvent({ kind: 'failed', error: cause }, log, createMetrics(), () => null);
    return told[0];
  }

  it('why the system refused it, and what to do', () => {
    const full = Object.assign(new Error('ENOSPC: no space left on device, write'), {
      code: 'ENOSPC',
      syscall: 'write',
    });
    const said = errorOf(full);
    expect(said).toBeInstanceOf(HoldpointError);
    expect(said).toMatchObject({
      code: 'ledger_unavailable',
      message: 'The ledger below data.dir could not be written: no space left on device (ENOSPC).',
      next: expect.stringContaining('Calls get 503 until'),
    });
  });

  it('why it refused LevelDB, and what to do', () => {
    const full = new Error('IO error: /data/ledger/000003.log: No space left on device');
    expect(errorOf(full)).toMatchObject({
      code: 'ledger_unavailable',
      message: 'The ledger below data.dir could not be written: No space left on device.',
      next: expect.stringContaining('Make room'),
    });
  });

  it('anything else as it came', () => {
    const defect = new Error('oops');
    expect(errorOf(defect)).toBe(defect);
  });
});
