/**
 * `npm run bench:ledger`: everything the ledger is held to, one bench after the other on the same machine: sealing and
 * write amplification, verifying, a start and all that must stay flat at ten million entries, an erasure among a million.
 * About ten minutes and 15 GB of disk; ends with 1 where a figure falls short. Run it alone.
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const benches = [['sealing.ts'], ['verify.ts'], ['scale.ts', '10000000'], ['erasure.ts']] as const;

for (const [file, ...args] of benches) {
  process.stdout.write(`\n${file} ${args.join(' ')}\n`);
  const script = fileURLToPath(new URL(file, import.meta.url));
  const { status } = spawnSync(process.execPath, [script, ...args], { stdio: 'inherit' });
  if (status !== 0) process.exitCode = 1;
}
