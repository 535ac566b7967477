/**
 * What every SDK of the matrix looks like to the scenarios: told where to send and what to ask, it answers or
 * raises what its users would see. Each runs unmodified, configured as its documentation says.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';

export interface AskedCall {
  /** null where the SDK gives none. */
  readonly id: string | null;
  readonly name: string;
  readonly args: unknown;
}

/** An answer as the SDK's users read it. */
export interface Asked {
  readonly text: string;
  readonly calls: readonly AskedCall[];
  /** Why the model stopped, in the SDK's words; null where it does not say. */
  readonly finish: string | null;
  readonly usage: { readonly input: number | null; readonly output: number | null } | null;
}

export interface AskOptions {
  readonly stream: boolean;
  readonly model?: string;
  /** How often the SDK itself may try again; its own default when absent. */
  readonly retries?: number;
  readonly signal?: AbortSignal;
  /** Told each piece of text that the SDK shows while it streams, and '' for each other sign of the answer. */
  readonly onPiece?: (text: string) => void;
}

export interface Client {
  /** What the user chose: the API or the model class. */
  readonly name: string;
  /** Packages that take part, as they are installed. */
  readonly packages: readonly string[];
  /** The family it speaks, as configurations name it. */
  readonly protocol: string;
  readonly model: string;
  /** Set where the SDK speaks HTTP/2 without being asked to. */
  readonly http2?: true;
  /** True when the SDK comes back by itself after a 503 that asks for it. */
  readonly retries: boolean;
  /** Set where the SDK itself loses the tool calls of a stream. */
  readonly streamedCalls?: false;
  /** Name of the error its users would catch for a 403. */
  readonly denial: string;
  /** Asks the provider at this base URL, without a path of its own. Rejects with what the SDK raises. */
  ask(base: string, prompt: string, options: AskOptions): Promise<Asked>;
}

/** A key no provider would take; every SDK insists on one. */
export const key = 'sk-the-workloads-own-provider-key';

export const toolName = 'transfer_funds';
export const toolDescription = 'Moves money.';
export const parameters = {
  type: 'object' as const,
  properties: {
    amount: { type: 'number' as const },
    currency: { type: 'string' as const },
    note: { type: 'string' as const },
  },
};
export const functionTool = {
  type: 'function' as const,
  function: { name: toolName, description: toolDescription, parameters },
};

/** `{ maxRetries }` where a number was asked for. */
export function maxRetriesOf(retries: number | undefined): { maxRetries?: number } {
  return retries === undefined ? {} : { maxRetries: retries };
}

/** Both counts where the SDK gives any. */
export function usageOf(input: number | null | undefined, output: number | null | undefined): Asked['usage'] {
  return input == null && output == null ? null : { input: input ?? null, output: output ?? null };
}

const packageSchema = z.object({ version: z.string() });

/** The installed version of a package. */
export function versionOf(name: string): string {
  const file = fileURLToPath(new URL(`../../node_modules/${name}/package.json`, import.meta.url));
  return packageSchema.parse(JSON.parse(readFileSync(file, 'utf8'))).version;
}

/** A client's packages and API, which no other has. */
export function whoIs({ packages, name }: Client): string {
  return `${packages.join(' with ')}, ${name}`;
}
