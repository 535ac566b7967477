/** A reviewer's hands: the control port's REST calls, with what they answer checked by shape. */

import { z } from 'zod';
import { waitFor } from './wait-for.ts';

const holdSchema = z.object({
  id: z.string(),
  decisionId: z.string(),
  state: z.string(),
  phase: z.string(),
  headline: z.string(),
  digest: z.string(),
  expiresAt: z.string(),
  caller: z.string(),
  possibleDuplicate: z.boolean(),
  outcome: z.string().nullable(),
  /** Of one hold alone, not in the queue. */
  actions: z.object({ amend: z.string() }).optional(),
  approvals: z.object({ needed: z.number(), given: z.array(z.string()) }),
});
export type HeldCall = z.output<typeof holdSchema>;

const decisionSchema = z.object({
  id: z.string(),
  operation: z.string(),
  verdict: z.string(),
  outcome: z.string().nullable(),
  status: z.number().nullable(),
  entries: z.array(z.object({ seq: z.number(), type: z.string(), data: z.record(z.string(), z.unknown()) })),
});
export type DecisionView = z.output<typeof decisionSchema>;

const bodySchema = z.object({
  type: z.string(),
  name: z.string(),
  startLine: z.string().optional(),
  headers: z.array(z.string()).optional(),
  text: z.string().optional(),
  base64: z.string().optional(),
});
export type BodyView = z.output<typeof bodySchema>;

export interface Ruling {
  readonly verdict: 'release' | 'deny' | 'amend';
  readonly reason?: string;
  readonly digest?: string;
  readonly amendment?: unknown;
  readonly breakGlass?: boolean;
  readonly calls?: readonly string[];
}

export interface Control {
  holds(state?: string): Promise<HeldCall[]>;
  /** Waits until exactly this many holds are pending and returns them, oldest expiry first. */
  pending(count?: number): Promise<HeldCall[]>;
  /** Waits for the one pending hold. */
  nextHold(): Promise<HeldCall>;
  hold(id: string): Promise<HeldCall>;
  /** Rules on the digest that was read unless told another; resolves with the status and the problem's code. */
  rule(hold: HeldCall, ruling: Ruling): Promise<{ status: number; code: string }>;
  /** The ids of the tool calls in the held answer. */
  callIdsOf(hold: HeldCall): Promise<string[]>;
  decision(id: string): Promise<DecisionView>;
  /** The newest decision there is. */
  lastDecision(): Promise<DecisionView>;
  /** The ids of the newest decisions, newest first. */
  newestIds(count: number): Promise<readonly string[]>;
  /** Waits for the decision's outcome, which is sealed shortly after its answer. */
  outcomeOf(id: string): Promise<string>;
  bodies(id: string): Promise<BodyView[]>;
}

const waiting = { timeout: 8_000, interval: 5 };

export function createControl(controlUrl: string, token: string): Control {
  async function call(path: string, body?: unknown): Promise<Response> {
    return fetch(`${controlUrl}${path}`, {
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
    });
  }
  async function read<T>(path: string, schema: z.ZodType<T>): Promise<T> {
    const response = await call(path);
    if (!response.ok) throw new Error(`GET ${path}: ${response.status} ${await response.text()}`);
    return schema.parse(await response.json());
  }
  const holds = async (state?: string): Promise<HeldCall[]> => {
    const query = state === undefined ? '' : `?state=${state}`;
    return (await read(`/api/v1/holds${query}`, z.object({ items: z.array(holdSchema) }))).items;
  };
  const pending = (count = 1): Promise<HeldCall[]> =>
    waitFor(async () => {
      const found = await holds('pending');
      if (found.length !== count) throw new Error(`${found.length} holds are pending, not ${count}`);
      return found;
    }, waiting);
  const newestIds = async (count: number): Promise<readonly string[]> => {
    const listed = z.object({ items: z.array(z.object({ id: z.string() })) });
    const { items } = await read(`/api/v1/decisions?limit=${count}`, listed);
    return items.map(({ id }) => id);
  };
  const decision = (id: string): Promise<DecisionView> => read(`/api/v1/decisions/${id}`, decisionSchema);

  return {
    holds,
    pending,
    nextHold: async () => {
      const [hold] = await pending(1);
      if (hold === undefined) throw new Error('no hold is pending');
      return hold;
    },
    hold: (id) => read(`/api/v1/holds/${id}`, holdSchema),
    rule: async (hold, { reason = 'Checked.', digest = hold.digest, ...ruling }) => {
      const body = { ...ruling, reason, digest };
      const response = await call(`/api/v1/holds/${hold.id}/rulings`, body);
      const answer = z.object({ code: z.string().default('') }).parse(await response.json());
      return { status: response.status, code: answer.code };
    },
    callIdsOf: async ({ id }) => {
      const calls = z.array(z.object({ id: z.string() }));
      const schema = z.object({ exchange: z.object({ response: z.object({ toolCalls: calls }) }) });
      const { exchange } = await read(`/api/v1/holds/${id}`, schema);
      return exchange.response.toolCalls.map((call) => call.id);
    },
    decision,
    newestIds,
    lastDecision: async () => {
      const [newest] = await newestIds(1);
      if (newest === undefined) throw new Error('nothing is recorded');
      return decision(newest);
    },
    outcomeOf: (id) =>
      waitFor(async () => {
        const { outcome } = await decision(id);
        if (outcome === null) throw new Error(`${id} has no outcome yet`);
        return outcome;
      }, waiting),
    bodies: async (id) =>
      (await read(`/api/v1/decisions/${id}/body`, z.object({ bodies: z.array(bodySchema) }))).bodies,
  };
}
