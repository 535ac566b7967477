/** A reviewer for many calls at once: finds the hold or the decision that belongs to a question. */

import { z } from 'zod';
import type { HeldCall, Ruling } from '../support/control-client.ts';
import type { TestSidecar } from '../support/sidecar.ts';
import { waitFor } from '../support/wait-for.ts';

export interface FoundHold {
  readonly hold: HeldCall;
  readonly calls: readonly { readonly id: string; readonly arguments: unknown }[];
  /** The SDK asked for a stream. */
  readonly stream: boolean;
  rule(verdict: 'release' | 'deny' | 'amend', amendment?: unknown): Promise<void>;
}

export interface Desk {
  /** Waits for the pending hold whose tool calls name this amount. */
  holdOf(amount: number): Promise<FoundHold>;
  /** Waits until the caller of that hold was told to come again. */
  callerGone(amount: number): Promise<FoundHold>;
  /** What is recorded of a family's calls that ended as client_abort: request and answer. */
  aborted(protocol: string): Promise<readonly { readonly asked: string; readonly answered: string }[]>;
}

const patience = { timeout: 15_000, interval: 20 };
const exchangeSchema = z.object({
  exchange: z.object({
    request: z.object({ stream: z.boolean() }),
    response: z.object({ toolCalls: z.array(z.object({ id: z.string(), arguments: z.unknown() })) }),
  }),
});
const pageSchema = z.object({ items: z.array(z.object({ id: z.string() })) });
const amountSchema = z.object({ amount: z.number() });

export function createDesk({ controlUrl, place, ada }: TestSidecar): Desk {
  const headers = { authorization: `Bearer ${place.tokenOf('ada', 'reviewer')}` };
  async function get<T>(path: string, schema: z.ZodType<T>): Promise<T> {
    const response = await fetch(`${controlUrl}/api/v1${path}`, { headers });
    return schema.parse(await response.json());
  }
  const exchangeOf = remembered(async (id: string) => (await get(`/holds/${id}`, exchangeSchema)).exchange);
  const pending = shared(() => ada.holds('pending'));
  async function rule(hold: HeldCall, ruling: Ruling): Promise<void> {
    const { status, code } = await ada.rule(hold, ruling);
    if (status !== 201) throw new Error(`The ruling was refused: ${status} ${code}`);
  }
  async function pendingOf(amount: number): Promise<FoundHold> {
    for (const hold of await pending()) {
      const { request, response } = await exchangeOf(hold.id);
      const calls = response.toolCalls;
      const named = calls.some((call) => amountSchema.safeParse(call.arguments).data?.amount === amount);
      if (!named) continue;
      const { stream } = request;
      return { hold, calls, stream, rule: (verdict, amendment) => rule(hold, { verdict, amendment }) };
    }
    throw new Error(`no hold over ${amount} is pending`);
  }
  return {
    holdOf: (amount) => waitFor(() => pendingOf(amount), patience),
    callerGone: (amount) =>
      waitFor(async () => {
        const found = await pendingOf(amount);
        if (found.hold.caller === 'waiting') throw new Error(`the caller over ${amount} still waits`);
        return found;
      }, patience),
    aborted: async (protocol) => {
      const { items } = await get(
        `/decisions?limit=200&outcome=client_abort&provider=${protocol}`,
        pageSchema,
      );
      const bodies = await Promise.all(items.map(({ id }) => ada.bodies(id)));
      return bodies.map(([request, answer]) => ({
        asked: request?.text ?? '',
        answered: answer?.text ?? answer?.base64 ?? '',
      }));
    },
  };
}

function remembered<T>(load: (id: string) => Promise<T>): (id: string) => Promise<T> {
  const known = new Map<string, Promise<T>>();
  return (id) => {
    const found = known.get(id) ?? load(id);
    known.set(id, found);
    return found;
  };
}

/** Many who ask at the same time get one answer. */
function shared<T>(load: () => Promise<T>): () => Promise<T> {
  let running: Promise<T> | null = null;
  return () => {
    running ??= load().finally(() => {
      running = null;
    });
    return running;
  };
}
