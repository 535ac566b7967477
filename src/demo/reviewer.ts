/** The demonstration's reviewer: a person's token and the control port's REST calls. */
import { z } from 'zod';

const holdSchema = z.object({ id: z.string(), headline: z.string(), digest: z.string() });
export type HeldCall = z.output<typeof holdSchema>;

export interface Reviewer {
  /** Waits for the event that something was held, and reads it. */
  nextHold(): Promise<HeldCall>;
  /** Rules on the digest that was read; resolves with the HTTP status. */
  rule(hold: HeldCall, verdict: 'release' | 'deny', reason: string): Promise<number>;
  outcomeOf(decisionId: string): Promise<string | null>;
}

const waitMs = 10_000;

export function createReviewer(controlUrl: string, token: string): Reviewer {
  const headers = { authorization: `Bearer ${token}` };
  const call = (path: string, init: RequestInit = {}): Promise<Response> =>
    fetch(`${controlUrl}${path}`, {
      ...init,
      headers: { ...headers, ...init.headers },
      signal: AbortSignal.timeout(waitMs),
    });

  async function pending(): Promise<HeldCall | undefined> {
    const response = await call('/api/v1/holds?state=pending');
    return z.object({ items: z.array(holdSchema) }).parse(await response.json()).items[0];
  }

  async function nextHold(): Promise<HeldCall> {
    const events = await call('/api/v1/events');
    if (events.body === null) throw new Error('the control port sent no events');
    // Subscribed first, read second: a hold that opened in between is found by one or the other.
    const already = await pending();
    if (already !== undefined) {
      await events.body.cancel();
      return already;
    }
    for await (const chunk of events.body.pipeThrough(new TextDecoderStream())) {
      if (!chunk.includes('event: hold.opened')) continue;
      const opened = await pending();
      if (opened !== undefined) return opened;
    }
    throw new Error('the control port ended its events');
  }

  return {
    nextHold,
    rule: async (hold, verdict, reason) => {
      const response = await call(`/api/v1/holds/${hold.id}/rulings`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ verdict, reason, digest: hold.digest }),
      });
      await response.body?.cancel();
      return response.status;
    },
    outcomeOf: async (decisionId) => {
      // The outcome is sealed with others shortly after the answer went out.
      const until = Date.now() + waitMs;
      for (;;) {
        const response = await call(`/api/v1/decisions/${decisionId}`);
        const { outcome } = z.object({ outcome: z.string().nullable() }).parse(await response.json());
        if (outcome !== null || Date.now() > until) return outcome;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    },
  };
}
