/** What the JSON Schema of a file knows of the map at a path. Pure; imports nothing. */

export type YamlPath = readonly PropertyKey[];

/**
 * The keys a JSON Schema knows for the map at `path`.
 * @param value what was checked: where a map has one of several kinds, it says which one it has here
 */
export function knownKeys(accepted: unknown, path: YamlPath, value: unknown): string[] {
  let schemas = formsOf(accepted, value);
  let found = value;
  for (const step of path) {
    found = isObject(found) ? Reflect.get(found, step) : undefined;
    schemas = schemas
      .map((schema) => (typeof step === 'number' ? field(schema, 'items') : child(schema, String(step))))
      .flatMap((schema) => formsOf(schema, found));
  }
  return [...new Set(schemas.flatMap(keysOf))];
}

/** Those that it describes one by one, and those that it names as what keys may be. */
function keysOf(schema: unknown): string[] {
  const properties = field(schema, 'properties');
  const names = field(field(schema, 'propertyNames'), 'enum');
  return [
    ...(isObject(properties) ? Object.keys(properties) : []),
    ...(Array.isArray(names) ? names.map(String) : []),
  ];
}

/** A schema, or those of its forms that a value may be meant for. */
function formsOf(schema: unknown, value: unknown): readonly unknown[] {
  const forms = field(schema, 'oneOf') ?? field(schema, 'anyOf');
  if (!Array.isArray(forms)) return [schema];
  const meant = forms.filter((form) => isForm(form, value));
  return meant.length > 0 ? meant : forms;
}

/** Whether a value has the kind that a form of several is for; true of forms that have no kind. */
export function isForm(schema: unknown, value: unknown): boolean {
  const kind = field(field(schema, 'properties'), 'kind');
  return field(kind, 'const') === field(value, 'kind');
}

function child(schema: unknown, key: string): unknown {
  return field(field(schema, 'properties'), key) ?? field(schema, 'additionalProperties');
}

function field(value: unknown, key: string): unknown {
  return isObject(value) && Object.hasOwn(value, key) ? value[key] : undefined;
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
