/** What a scenario is, where its clients ask, and what may come of it. */
import type { Asked, Client } from './client.ts';
import type { Desk } from './desk.ts';
import { type Failure, failureOf } from './failure.ts';
import { argumentsOf } from './questions.ts';
import type { Upstreams } from './upstreams.ts';

/** Where one client finds the providers, with the sidecar between and without. */
export interface Bench {
  readonly upstreams: Upstreams;
  readonly proxyUrl: string;
  /** A sidecar that tells waiting callers after a moment to come again. */
  readonly impatientUrl: string;
  readonly desk: Desk;
  readonly impatientDesk: Desk;
  /** Questions whose callers left; how they are recorded is looked up once for all. */
  readonly aborted: { readonly protocol: string; readonly prompt: string }[];
  /** A number that no other question has. */
  next(): number;
}

export interface Outcome {
  /** What differs from the plain tick, in words; '' when all was equal. */
  readonly limitation: string;
  /** The error its users catch, for the scenarios that raise one. */
  readonly raised?: Failure;
}

export interface Scenario {
  readonly name: string;
  /** What it proves, for the document. */
  readonly proves: string;
  run(client: Client, bench: Bench): Promise<Outcome>;
}

export const equal: Outcome = { limitation: '' };
/** Whole and streamed. */
export const forms = [false, true] as const;

export const whole = (client: Client, { upstreams }: Bench) => upstreams.direct(client).whole;
export const halved = (client: Client, { upstreams }: Bench) => upstreams.direct(client).halved;
export const through = (client: Client, { proxyUrl }: Bench) => `${proxyUrl}/${client.protocol}`;
export const throughHalved = (client: Client, { proxyUrl }: Bench) => `${proxyUrl}/half/${client.protocol}`;

/** What comes of tool calls that an SDK loses, so that a row which stops losing them is noticed. */
export const lostCalls = 'streamed, the SDK itself loses the tool calls, with Holdpoint or without';

export const expectedCalls = (amounts: readonly number[]) =>
  amounts.map((amount) => ({ name: 'transfer_funds', args: argumentsOf(amount) }));

export const outcomeOf = (answer: Promise<Asked>): Promise<Asked | Failure> => answer.catch(failureOf);
