/** A reviewer for many calls at once: finds the hold or the decision that belongs to a question. */
import { vi } from 'vitest';
import { z } from 'zod';
import type { HeldCall, Ruling } from '../support/control-client.ts';
import type { TestSidecar } from '../support/sidecar.ts';

export interface FoundHold {
  readonly hold: HeldCall;
  readonly calls: readonly { readonly id: string; readonly arguments: unknown }[];
  rule(verdict: 'release' | 'deny' | 'amend', amendment?: unknown): Promise<void>;
}

export interface Desk {
  /** Waits for the pending hold whose tool calls name this amount. */
  holdOf(amount: number): Promise<FoundHold>;
  /** Waits until the caller of that hold was told to come again. */
  callerGone(amount: number): Promise<FoundHold>;
  /** Waits for the decision whose request says this and that ended so; resolves with its recorded answer. */
  aborted(prompt: string): Promise<string>;
}

const patience = { timeout: 10_000, interval: 20 };
const callsSchema = z.object({
  exchange: z.object({
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
  const callsOf = remembered(async (id: string) => {
    const { exchange } = await get(`/holds/${id}`, callsSchema);
    return exchange.response.toolCalls;
  });
  const pending = shared(() => ada.holds('pending'));
  const abortions = shared(() => get('/decisions?limit=200&outcome=client_abort', pageSchema));
  const bodiesOf = remembered((id: string) => ada.bodies(id));

  async function rule(hold: HeldCall, ruling: Ruling): Promise<void> {
    const { status, code } = await ada.rule(hold, ruling);
    if (status !== 201) throw new Error(`The ruling was refused: ${status} ${code}`);
  }
  async function pendingOf(amount: number): Promise<FoundHold> {
    for (const hold of await pending()) {
      const calls = await callsOf(hold.id);
      const named = calls.some((call) => amountSchema.safeParse(call.arguments).data?.amount === amount);
      if (named) return { hold, calls, rule: (verdict, amendment) => rule(hold, { verdict, amendment }) };
    }
    throw new Error(`no hold over ${amount} is pending`);
  }
  return {
    holdOf: (amount) => vi.waitFor(() => pendingOf(amount), patience),
    callerGone: (amount) =>
      vi.waitFor(async () => {
        const found = await pendingOf(amount);
        if (found.hold.caller === 'waiting') throw new Error(`the caller over ${amount} still waits`);
        return found;
      }, patience),
    aborted: (prompt) =>
      vi.waitFor(async () => {
        const { items } = await abortions();
        const read = await Promise.all(items.map(({ id }) => bodiesOf(id)));
        const answer = read.find(([request]) => request?.text?.includes(prompt))?.[1];
        if (answer !== undefined) return answer.text ?? answer.base64 ?? '';
        throw new Error(`no decision over “${prompt}” ended as client_abort`);
      }, patience),
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
