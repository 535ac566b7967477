/**
 * What stands around a body and may make another request of it for the provider than for whoever judges it here: a path
 * or a method that servers take differently. Pure.
 */
import { speaksGrpc } from '../core/grpc.ts';
import { type RawHeaders, valuesOf } from '../core/http-message.ts';
import { isUnclear, routeSegments } from './route.ts';

/** Some providers, Google among them, do what such a field says; what that would be was not judged. */
const methodFields = ['x-http-method-override', 'x-http-method', 'x-method-override'];

/** Why nobody can say what is asked for; none where that is clear. */
export function envelopeDefects(method: string, path: string, headers: RawHeaders): readonly string[] {
  const defects = methodFields
    .filter((name) => valuesOf(headers, name).some((value) => value.trim().toUpperCase() !== method))
    .map((name) => `the ${name} header names another method than ${method}`);
  if (speaksGrpc(headers))
    defects.push('gRPC is not read here, and not carried on; have the client use REST');
  // Most paths are as plain as they look.
  const segments = /[%$]|batch/i.test(path) ? routeSegments(path) : [];
  if (segments.includes('$rpc'))
    defects.push('what is sent below $rpc is not read here; have the client use REST');
  if (segments.includes('batch') && isMixed(headers))
    defects.push('the requests within a batch of HTTP requests are not read here; send each by itself');
  if (isUnclear(path)) defects.push('the dot segments of the path lead elsewhere for some servers');
  return defects;
}

/** Requests of their own, one a part (https://cloud.google.com/storage/docs/batch). */
function isMixed(headers: RawHeaders): boolean {
  return valuesOf(headers, 'content-type').some((value) => /^\s*multipart\/mixed\b/i.test(value));
}
