import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defineConfig } from 'vitest/config';
import { seedOfCheckout } from './test/support/property-seed.ts';
import { scratchDir } from './test/support/scratch.ts';

const slow = process.env['TEST_SLOW'] === '1';
const alone = [
  // Its millions of hashes run ten times slower where the same functions have seen other tests' arguments.
  'test/property/verify/flips.test.ts',
  // It has signatures checked by a faster implementation, before the verifier is loaded with its own.
  'test/property/verify/tampering.test.ts',
];
/** Disks that fail, processes that are killed, inputs that a fuzzer makes, and the longest of those made at random. */
const fault = [
  'test/fault/**/*.test.ts',
  'test/crash/**/*.test.ts',
  'test/day/**/*.test.ts',
  'test/fuzz/**/*.test.ts',
  'test/property/hold/interleavings.test.ts',
  'test/property/policy/parsers.test.ts',
  'test/property/provider/amendments.property.test.ts',
  'test/property/provider/streams.property.test.ts',
];
/** They watch node:fs, or check signatures faster, which has to be done before the stores are loaded. */
const faultAlone = [
  'test/fault/bit-flip.test.ts',
  'test/fault/every-call.test.ts',
  'test/fault/journal.test.ts',
  'test/fault/power-failure.test.ts',
  'test/fault/rotation.test.ts',
  'test/fault/torn-read.test.ts',
];
/** The slow ones have theirs too. */
export const withModulesOfTheirOwn: readonly string[] = [...alone, ...faultAlone];

/**
 * The product as its users meet it: its command and its keys' sources as processes, killed and started again; every
 * client in every scenario; its console in Chromium; its ledgers read by Python, OpenSSL and Go; callers that are slow,
 * send much, send batches or keep a WebSocket; proxies and gateways in between, connections that break off, what comes
 * back after an outage, keys that answers repeat. Each says so where such a program is missing. A newcomer's `npm ci` and
 * `npm test` stay under three minutes without them.
 */
const whole = [
  'test/anchor/attacks.test.ts',
  'test/browser/**/*.test.ts',
  'test/clients/languages-grpc.test.ts',
  'test/clients/languages-sessions.test.ts',
  'test/clients/languages.test.ts',
  'test/clients/matrix.test.ts',
  'test/contract/attacks.test.ts',
  'test/contract/backtest.test.ts',
  'test/contract/certificates.test.ts',
  'test/contract/command-line/**/*.test.ts',
  'test/contract/damaged-entry.test.ts',
  'test/contract/damaged-hold.test.ts',
  'test/contract/damaged-readings.test.ts',
  'test/contract/ended-rights.test.ts',
  'test/contract/erasure.test.ts',
  'test/contract/notifications.test.ts',
  'test/contract/oversight/**/*.test.ts',
  'test/contract/reports/**/*.test.ts',
  'test/contract/roles.test.ts',
  'test/contract/signed-rulings.test.ts',
  'test/contract/terminal.test.ts',
  'test/contract/tokens.test.ts',
  'test/deploy/alerts.test.ts',
  'test/deploy/manifests.test.ts',
  'test/proxy/batch-files.test.ts',
  'test/proxy/batches.test.ts',
  'test/proxy/bounded.test.ts',
  'test/proxy/broken-off.test.ts',
  'test/proxy/come-back-in-outages.test.ts',
  'test/proxy/dividing.test.ts',
  'test/proxy/draining.test.ts',
  'test/proxy/forward-proxy.test.ts',
  'test/proxy/garbage.test.ts',
  'test/proxy/gateway-headers.test.ts',
  'test/proxy/injected-keys.test.ts',
  'test/proxy/key-rotation.test.ts',
  'test/proxy/key-sources.test.ts',
  'test/proxy/known-calls.test.ts',
  'test/proxy/large-bodies.test.ts',
  'test/proxy/large-results.test.ts',
  'test/proxy/realtime*.test.ts',
  'test/proxy/released-denied.test.ts',
  'test/proxy/restart.test.ts',
  'test/proxy/secrets-in-bodies.test.ts',
  'test/proxy/session-streams.test.ts',
  'test/proxy/transcripts.test.ts',
  'test/proxy/tunnel*.test.ts',
  'test/second-opinion/**/*.test.ts',
  'test/unit/store/key-source.test.ts',
];
/** They hold the product to times, or to what V8 does in time: each has the machine to itself, when all others have ended. */
const timed = ['test/browser/reviewer.test.ts', 'test/proxy/garbage.test.ts'];
/** A dozen processes, each of which takes a second and more where the machine is slow. */
const processesMsMax = 60_000;
const slowOnes = 'test/**/*.slow.test.ts';

export default defineConfig({
  test: {
    testTimeout: slow ? 1_800_000 : 20_000,
    hookTimeout: slow ? 600_000 : 30_000,
    // Thousands of short-lived inputs a second: a larger young generation spares most of their collecting.
    execArgv: ['--max-semi-space-size=64'],
    // Two cores, and tests that wait for processes, browsers and clocks as often as they compute: a third fills the time.
    maxWorkers: slow ? 2 : 3,
    // Hundreds of processes start in a run; compiled once, each starts in half the time.
    env: {
      NODE_COMPILE_CACHE: join(tmpdir(), 'holdpoint-compile-cache'),
      // Slow tests work on the disk there is.
      ...(slow ? {} : { TMPDIR: scratchDir, PROPERTY_SEED: seedOfCheckout() }),
    },
    setupFiles: ['test/support/property-seed.ts'],
    globalSetup: slow ? [] : ['test/support/scratch.ts'],
    projects: slow
      ? [{ extends: true, test: { name: 'slow', include: [slowOnes] } }]
      : [
          {
            extends: true,
            // Files share their workers' modules: loading them anew for each took a quarter of the time.
            test: {
              name: 'quick',
              include: ['test/**/*.test.ts'],
              exclude: [slowOnes, ...whole, ...fault, ...alone],
              isolate: false,
            },
          },
          {
            extends: true,
            test: {
              name: 'whole',
              include: whole,
              exclude: [slowOnes, ...timed],
              isolate: false,
              testTimeout: processesMsMax,
            },
          },
          {
            extends: true,
            test: { name: 'timed', include: timed, maxWorkers: 1, sequence: { groupOrder: 1 } },
          },
          { extends: true, test: { name: 'alone', include: alone } },
          {
            extends: true,
            test: {
              name: 'fault',
              include: fault,
              exclude: [slowOnes, ...faultAlone],
              isolate: false,
              testTimeout: processesMsMax,
            },
          },
          { extends: true, test: { name: 'fault-alone', include: faultAlone } },
        ],
  },
});
