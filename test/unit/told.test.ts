import { describe, expect, it } from 'vitest';
import type { LedgerEvent } from '../../src/ledger/ledger-options.ts';
import { createMetrics } from '../../src/telemetry/metrics.ts';
import { onLedgerEvent } from '../../src/told.ts';

/** The lines that the log gets of an event, by level. */
function toldOf(event: LedgerEvent): readonly string[] {
  const lines: string[] = [];
  const log = {
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
