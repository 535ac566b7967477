/** What this tab knows: who is signed in, the queue, the hold on the page, where the reviewer is. Pure. */

import type { HoldSummary, Identity, Verdict } from '../answers/hold-data.ts';
import type { HoldDetail, Ruling } from '../answers/hold-detail.ts';
import { markedText } from '../words/text.ts';
import { ApiError, type Offer } from './api.ts';
import type { Link } from './events.ts';
import { inbox, type Place } from './place.ts';
import type { Holds } from './queue.ts';

/** What can be asked for on a hold's page. */
export type Action = Verdict | 'break-glass';

/** The hold on the page. Its buttons work while `over` is ''. */
export interface OpenHold {
  readonly id: string;
  /** Null until it was read, and when it could not be. */
  readonly detail: HoldDetail | null;
  readonly problem: string;
  /** Why nothing can be ruled any more, in a sentence. */
  readonly over: string;
  readonly ruling: Ruling | null;
  /** What became of other holds that were ruled on together with this one; '' where none was. */
  readonly together: string;
  /** How often it had to be asked anew who else has it open, as somebody was heard to open or leave it. */
  readonly looks: number;
  /** The ruling panel; null while closed. */
  readonly panel: Action | null;
  /** Places of the tool calls that a release here would withhold. */
  readonly withheld: ReadonlySet<number>;
}

/** A ruling that was not taken, heard of when the reviewer had turned elsewhere. */
export interface RefusedRuling {
  /** The hold it was made on. */
  readonly id: string;
  readonly why: string;
  /** False where no answer came: it may have been taken all the same. */
  readonly isSure: boolean;
}

export interface DeskState {
  readonly identity: Identity | null;
  /** Why signing in did not work. */
  readonly refusal: string;
  readonly signingIn: boolean;
  /** How people sign in beside tokens; null until it was asked, and where there is no other way. */
  readonly offer: Offer | null;
  readonly link: Link;
  readonly loaded: boolean;
  readonly holds: Holds;
  /** Pending ones, as shown. */
  readonly order: readonly string[];
  /** How many more are pending, beyond those that were read so far. */
  readonly unread: number;
  /** Whether those are left unread, because this tab keeps no more. */
  readonly isCut: boolean;
  /** Those that are over, the latest first. */
  readonly recent: readonly string[];
  readonly cursor: string | null;
  readonly filter: string;
  readonly open: OpenHold | null;
  /** The page. A hold stands in `open` as well. */
  readonly place: Place;
  readonly helpShown: boolean;
  /** Somebody goes on writing in a field that is gone. */
  readonly unheard: boolean;
  /** Holds on which somebody broke the glass, until they are looked at or put away. */
  readonly alerts: readonly string[];
  /** Until they are looked at or put away. */
  readonly refused: readonly RefusedRuling[];
  /** How often this session was connected; what an outage kept from being read is read again on the next one. */
  readonly connections: number;
  /** How often it had to be asked anew which reviews wait: for each that was heard of, and on every connection. */
  readonly reviewed: number;
  /** Why the queue could not be read; '' when it could. */
  readonly problem: string;
  /** Read out by screen readers. */
  readonly announcement: string;
}

export const signedOut: DeskState = {
  identity: null,
  refusal: '',
  signingIn: false,
  offer: null,
  link: { status: 'connecting' },
  loaded: false,
  holds: new Map(),
  order: [],
  unread: 0,
  isCut: false,
  recent: [],
  cursor: null,
  filter: '',
  open: null,
  place: inbox,
  helpShown: false,
  unheard: false,
  alerts: [],
  refused: [],
  connections: 0,
  reviewed: 0,
  problem: '',
  announcement: '',
};

export function closedPage(id: string): OpenHold {
  return {
    id,
    detail: null,
    problem: '',
    over: '',
    ruling: null,
    together: '',
    looks: 0,
    panel: null,
    withheld: new Set(),
  };
}

export function refusalOf(error: unknown): string {
  if (error instanceof ApiError && error.status === 401)
    return 'This token is not known here. Check that you pasted all of it, or ask for a new one.';
  return messageOf(error);
}

/** Why a session that was there is no more. */
export function endingOf(error: unknown): string {
  if (error instanceof ApiError && error.status === 401) return 'Your session is over. Sign in again.';
  return messageOf(error);
}

/** Whether the sidecar could not be reached, or could not answer for now. */
export function isOutage(error: unknown): error is ApiError {
  return error instanceof ApiError && (error.status === 0 || error.status >= 500);
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

export function arrivalText(arrived: readonly HoldSummary[]): string {
  const [first] = arrived;
  if (arrived.length > 1 || first === undefined) return `${arrived.length} new holds.`;
  return `New hold, ${first.severity}: ${markedText(first.headline)}`;
}

export function capitalised(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}
