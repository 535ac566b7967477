/** What a hold demands, fixed when it opens, and how it is sealed: as the rules say, times counted from the opening. */
import type { Json, JsonObject } from '../ledger/canonical.ts';
import type { HoldTerms, Need } from '../policy/policy.ts';

/** Milliseconds a released answer waits to be collected where no rule says. */
export const collectWithinMs = 15 * 60_000;

/** Milliseconds within which somebody else reviews a release by one person alone, where no rule says. */
export const reviewWithinMs = 72 * 3_600_000;

export interface HoldTermsFixed {
  /** Different people in all. */
  readonly approvals: number;
  readonly roles: readonly string[];
  readonly notRequester: boolean;
  readonly requester: string;
  /** The commitment `c` of the held part: 64 hex. */
  readonly digest: string;
  readonly expiresAtMs: number;
  /** By role, besides `approvals`; absent where any of `roles` will do. */
  readonly needs?: readonly Need[];
  readonly collectInMs?: number;
  readonly escalation?: readonly EscalationStep[];
  readonly breakGlass?: {
    readonly roles: readonly string[];
    readonly collectInMs: number;
    readonly reviewInMs?: number;
  };
}

/** From then on these may rule, too. */
export interface EscalationStep {
  readonly atMs: number;
  readonly roles: readonly string[];
}

/** The terms of rules for one hold. */
export function fixedTerms(
  terms: HoldTerms,
  about: { readonly openedAtMs: number; readonly requester: string; readonly digest: string },
): HoldTermsFixed {
  const { expiresInMs, escalation, ...demands } = terms;
  const { openedAtMs, requester, digest } = about;
  return {
    ...demands,
    requester,
    digest,
    expiresAtMs: openedAtMs + expiresInMs,
    ...(escalation === undefined
      ? {}
      : { escalation: escalation.map(({ afterMs, roles }) => ({ atMs: openedAtMs + afterMs, roles })) }),
  };
}

/** Their members of a hold's `data`. */
export function termsData(terms: HoldTermsFixed): JsonObject {
  const { needs, collectInMs, escalation, breakGlass } = terms;
  return {
    approvals: terms.approvals,
    digest: terms.digest,
    expires: terms.expiresAtMs,
    notRequester: terms.notRequester,
    requester: terms.requester,
    roles: [...terms.roles],
    ...(needs === undefined
      ? {}
      : { needs: needs.map(({ approvals, roles }) => ({ approvals, roles: [...roles] })) }),
    ...(collectInMs === undefined ? {} : { collect: collectInMs }),
    ...(escalation === undefined
      ? {}
      : { escalation: escalation.map(({ atMs, roles }) => ({ at: atMs, roles: [...roles] })) }),
    ...(breakGlass === undefined
      ? {}
      : {
          breakGlass: {
            collect: breakGlass.collectInMs,
            roles: [...breakGlass.roles],
            ...(breakGlass.reviewInMs === undefined ? {} : { review: breakGlass.reviewInMs }),
          },
        }),
  };
}

/** Reads back what `termsData` wrote. */
export function termsFromData(data: JsonObject): HoldTermsFixed {
  const { needs, collect, escalation, breakGlass } = data;
  return {
    approvals: count(data['approvals']),
    roles: texts(data['roles']),
    notRequester: data['notRequester'] === true,
    requester: typeof data['requester'] === 'string' ? data['requester'] : '',
    digest: typeof data['digest'] === 'string' ? data['digest'] : '',
    expiresAtMs: count(data['expires']),
    ...(needs === undefined
      ? {}
      : {
          needs: objects(needs).map((need) => ({
            approvals: count(need['approvals']),
            roles: texts(need['roles']),
          })),
        }),
    ...(collect === undefined ? {} : { collectInMs: count(collect) }),
    ...(escalation === undefined
      ? {}
      : {
          escalation: objects(escalation).map((step) => ({
            atMs: count(step['at']),
            roles: texts(step['roles']),
          })),
        }),
    ...objects(breakGlass === undefined ? [] : [breakGlass]).reduce(
      (_none, { collect: within, roles, review }) => ({
        breakGlass: {
          roles: texts(roles),
          collectInMs: count(within),
          ...(review === undefined ? {} : { reviewInMs: count(review) }),
        },
      }),
      {},
    ),
  };
}

function count(value: Json | undefined): number {
  return typeof value === 'number' ? value : 0;
}

function texts(value: Json | undefined): string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}

function objects(value: Json): JsonObject[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}

function isObject(value: Json): value is JsonObject {
  return typeof value === 'object' && !Array.isArray(value);
}
