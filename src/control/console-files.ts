/**
 * The console's files as a browser gets them. The built package has them; a checkout reads what lies there, and bundles
 * the script when a browser first asks for it.
 */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { HoldpointError, refusalOf } from '../core/errors.ts';
import { bundleScript, type ConsolePart, consoleFileNames, readPage, readStyle } from './console-bundle.ts';

export interface ConsoleFile {
  readonly type: string;
  readonly bytes: Buffer;
  readonly gzip: Buffer;
  /** A strong validator of `bytes` (RFC 9110 section 8.8.3); `gzip` has its own. */
  readonly etag: string;
  readonly gzipEtag: string;
}

export interface ConsoleFiles {
  readonly page: ConsoleFile;
  readonly style: ConsoleFile;
  /** Rejects with `internal` where there is neither a built console nor a bundler. */
  script(): Promise<ConsoleFile>;
}

const isBuilt = existsSync(built('script'));

/** One bundle for the process: every control port serves the same. */
let script: Promise<ConsoleFile> | null = null;

export function consoleFiles(): ConsoleFiles {
  return {
    page: served('text/html; charset=utf-8', isBuilt ? readBuilt('page') : readPage()),
    style: served('text/css; charset=utf-8', isBuilt ? readBuilt('style') : readStyle()),
    script: async () => {
      script ??= madeScript();
      try {
        return await script;
      } catch (error) {
        // Whoever asks next may find the bundler installed.
        script = null;
        throw error;
      }
    },
  };
}

function built(part: ConsolePart): string {
  return fileURLToPath(new URL(`../console/${consoleFileNames[part]}`, import.meta.url));
}

function readBuilt(part: ConsolePart): string {
  return readFileSync(built(part), 'utf8');
}

async function madeScript(): Promise<ConsoleFile> {
  const type = 'text/javascript; charset=utf-8';
  if (isBuilt) return served(type, readBuilt('script'));
  try {
    return served(type, await bundleScript());
  } catch (error) {
    throw new HoldpointError(
      'internal',
      `The console cannot be made here: ${refusalOf(error)}.`,
      'In a checkout, run npm ci first: the bundler is a development dependency. The built package has the console in it.',
      error,
    );
  }
}

function served(type: string, text: string): ConsoleFile {
  const bytes = Buffer.from(text);
  const digest = createHash('sha256').update(bytes).digest('base64url');
  return { type, bytes, gzip: gzipSync(bytes), etag: `"${digest}"`, gzipEtag: `"${digest}-gzip"` };
}
