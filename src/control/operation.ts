/**
 * What a route is to people outside: its name, who may call it, what goes in and what comes out. The server
 * enforces it and the OpenAPI description is made from it, so that the two cannot differ.
 */
import { z } from 'zod';
import { type ErrorCode, HoldpointError } from '../core/errors.ts';
import { type Permission, type Role, type RoleBook, rolesWith } from '../core/roles.ts';
import { wrongInput } from '../core/wrong-input.ts';

/** A value of a schema as handlers hand it over: read-only throughout. */
export type Sent<T> = T extends readonly (infer Item)[]
  ? readonly Sent<Item>[]
  : T extends object
    ? { readonly [Key in keyof T]: Sent<T[Key]> }
    : T;

export interface Answer {
  readonly status: number;
  readonly description: string;
  readonly contentType: string;
  readonly schema: z.ZodType;
  readonly example?: unknown;
}

export interface Operation {
  /** Names the call in generated clients. */
  readonly id: string;
  readonly tag: 'holds' | 'decisions' | 'erasure' | 'ledger' | 'notifications' | 'sidecar';
  readonly summary: string;
  readonly description: string;
  /** The built-in roles that may call it; null needs no token, and then no content may be in its answer. */
  readonly roles: readonly Role[] | null;
  /** What a configured role needs for it; absent where no such role may. */
  readonly permission?: Permission | 'any';
  readonly query?: z.ZodObject;
  readonly body?: {
    readonly schema: z.ZodType;
    readonly example: unknown;
    /** `application/json` when absent; of others the schema is that of one line. */
    readonly contentType?: 'application/x-ndjson';
  };
  readonly answers: readonly [Answer, ...Answer[]];
  /** Refusals of its own, beside those that every call with a token has. */
  readonly refusals: readonly ErrorCode[];
}

/** Who may call an operation, by what it takes. */
export function allowed(permission: Permission): Pick<Operation, 'roles' | 'permission'> {
  return { roles: rolesWith(permission), permission };
}

/** A JSON answer. */
export function jsonAnswer(description: string, schema: z.ZodType, example?: unknown, status = 200): Answer {
  return {
    status,
    description,
    contentType: 'application/json',
    schema,
    ...(example === undefined ? {} : { example }),
  };
}

const digits = z.string('expected a whole number').regex(/^\d{1,16}$/, 'expected a whole number');

/** A whole number in the query that has to be given; `.optional()` where it need not. */
export function countParameter(min: number) {
  return digits.transform(Number).pipe(z.int().min(min));
}

/** A whole number in the query. */
export function integerParameter(bounds: { min: number; max: number; fallback: number }) {
  const { min, max, fallback } = bounds;
  return digits
    .transform(Number)
    .pipe(z.int().min(min).max(max).meta({ default: fallback }))
    .prefault(String(fallback));
}

type QuerySchema<T> = z.ZodType<T> & { readonly shape: Readonly<Record<string, z.ZodType>> };

export const noParameters = z.strictObject({});

/** The checked query; throws `invalid_argument` for a name that is unknown, given twice or not valid. */
export function readQuery<T>(query: URLSearchParams, schema: QuerySchema<T>): T {
  const names = [...query.keys()];
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined)
    throw new HoldpointError('invalid_argument', `The parameter ${twice} is given twice.`, 'Give it once.');
  const parsed = schema.safeParse(Object.fromEntries(query));
  if (parsed.success) return parsed.data;
  const known = Object.keys(schema.shape).join(', ');
  throw new HoldpointError(
    'invalid_argument',
    wrongInput(parsed.error),
    known === '' ? 'This call takes no parameters.' : `The parameters are: ${known}.`,
  );
}

/** Refuses a role that the operation does not take. */
export function requireRole({ roles, permission }: Operation, role: string, book: RoleBook): void {
  if (roles === null) return;
  const takes = (name: string): boolean => {
    if (roles.some((known) => known === name)) return true;
    const has = book.permissionsOf(name);
    return permission === 'any' ? has.length > 0 : permission !== undefined && has.includes(permission);
  };
  if (takes(role)) return;
  throw new HoldpointError(
    'forbidden',
    book.names.includes(role)
      ? `The role ${role} may not do this.`
      : `The role ${role} is not in control.roles any more, so that it may do nothing.`,
    `Use a token with one of the roles: ${book.names.filter(takes).join(', ')}.`,
  );
}
