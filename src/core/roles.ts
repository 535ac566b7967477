/**
 * Who may do what on the control port: a closed set of permissions, the roles that there always are, and those that a
 * configuration adds. Pure.
 */

export const roles = ['viewer', 'reviewer', 'auditor', 'privacy', 'reporter', 'admin'] as const;
/** A role that there always is. */
export type Role = (typeof roles)[number];

/** What a configured role can be given. */
export const permissions = [
  /** Holds, decisions, policy and numbers, without content. */
  'see',
  /** Prompts, answers and tool arguments; each read is sealed. */
  'read_content',
  /** Entries and tiles of the ledger. */
  'read_ledger',
  /** To be named by a rule as who rules on its holds. */
  'rule',
  /** A key of one's own that signs rulings. */
  'enrol_key',
  'read_erasures',
  'read_notifications',
  /** Conditions of one's own, counted over what was recorded: goes with `read_content`. */
  'backtest',
  'report',
] as const;
export type Permission = (typeof permissions)[number];

/**
 * What stays with `privacy` and `admin`: verifiers of the ledger know these two by name, and a key or an erasure under
 * another would be no valid one.
 */
const reserved = ['erase', 'change_keys', 'send_notifications'] as const;

const builtIn: Readonly<Record<Role, readonly Permission[]>> = {
  viewer: ['see'],
  reviewer: ['see', 'read_content', 'rule', 'enrol_key', 'read_notifications'],
  auditor: [
    ...(['see', 'read_content', 'read_ledger', 'enrol_key'] as const),
    ...(['read_erasures', 'read_notifications', 'backtest'] as const),
  ],
  privacy: ['see', 'read_content', 'rule', 'enrol_key', 'read_erasures'],
  reporter: ['report'],
  admin: permissions,
};

/** Roles that another may be like: they have nothing that is reserved. */
export const models = ['viewer', 'reviewer', 'auditor', 'reporter'] as const;
/** What sealed entries have in the place of a person: what the sidecar did by itself, or nobody. */
export const nobodys: readonly string[] = ['holdpoint', 'retention', 'workload', 'anonymous'];
/** What no configured role is called. */
export const takenNames: readonly string[] = [...roles, ...reserved, ...nobodys];
export const roleNamePattern = /^[a-z][a-z0-9-]{0,31}$/;

export type ConfiguredRoles = Readonly<
  Record<string, { readonly like: (typeof models)[number] } | { readonly permissions: readonly Permission[] }>
>;

export interface RoleBook {
  /** In the order of the house, configured ones last. */
  readonly names: readonly string[];
  /** Those that a rule can ask for. */
  readonly rulers: readonly string[];
  /** Empty for a role that is not there, or no longer. */
  permissionsOf(role: string): readonly Permission[];
}

/** The built-in roles that have a permission. */
export function rolesWith(permission: Permission): readonly Role[] {
  return roles.filter((role) => builtIn[role].includes(permission));
}

export function createRoleBook(configured: ConfiguredRoles = {}): RoleBook {
  const all = new Map<string, readonly Permission[]>(Object.entries(builtIn));
  for (const [name, given] of Object.entries(configured))
    all.set(name, 'like' in given ? builtIn[given.like] : given.permissions);
  const names = [...roles, ...Object.keys(configured)];
  const permissionsOf = (role: string): readonly Permission[] => all.get(role) ?? [];
  return { names, rulers: names.filter((name) => permissionsOf(name).includes('rule')), permissionsOf };
}
