/** A planted violation: core must not import the proxy. The layering check fails unless it finds this. */
import { downhill } from '../proxy/downhill.ts';

export const upward = downhill;
