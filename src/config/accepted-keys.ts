/** What the JSON Schema of a file knows of the map at a path. Pure; imports nothing. */

export type YamlPath = readonly PropertyKey[];

/** The keys a JSON Schema knows for the map at `path`. */
export function knownKeys(accepted: unknown, path: YamlPath): string[] {
  let schema = accepted;
  for (const step of path) {
    schema = typeof step === 'number' ? field(schema, 'items') : child(schema, String(step));
  }
  const properties = field(schema, 'properties');
  return isObject(properties) ? Object.keys(properties) : [];
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
