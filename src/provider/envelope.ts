/**
 * What stands around a body and may make another request of it for the provider than for whoever judges it here: a path
 * or a method that servers take differently. Pure.
 */
import { type RawHeaders, valuesOf } from '../core/http-message.ts';
import { isUnclear } from './route.ts';

/** Some providers, Google among them, do what such a field says; what that would be was not judged. */
const methodFields = ['x-http-method-override', 'x-http-method', 'x-method-override'];

/** Why nobody can say what is asked for; none where that is clear. */
export function envelopeDefects(method: string, path: string, headers: RawHeaders): readonly string[] {
  const defects = methodFields
    .filter((name) => valuesOf(headers, name).some((value) => value.trim().toUpperCase() !== method))
    .map((name) => `the ${name} header names another method than ${method}`);
  if (isUnclear(path)) defects.push('the dot segments of the path lead elsewhere for some servers');
  return defects;
}
