/** A sidecar that ran once and stopped, for the commands that look at what it left; and a directory beside it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startSidecar } from '../../src/sidecar.ts';
import { type House, makeHouse } from '../crash/sidecar-process.ts';

export interface StoppedHouse extends Pick<House, 'configFile' | 'dataDir'> {
  readonly scratch: string;
  remove(): void;
}

export async function stoppedHouse(): Promise<StoppedHouse> {
  const { configFile, dataDir, remove } = makeHouse('http://127.0.0.1:9');
  const scratch = mkdtempSync(join(tmpdir(), 'holdpoint-beside-'));
  const sidecar = await startSidecar(configFile, {});
  await sidecar.stop('test');
  return {
    ...{ configFile, dataDir, scratch },
    remove: () => {
      remove();
      rmSync(scratch, { recursive: true, force: true });
    },
  };
}
