/** Which API speaks at a path, by the path alone: compatible servers mount it anywhere. Pure. */

import { endsWithSegments, routeSegments } from '../route.ts';
import type { SocketDialect } from './dialect.ts';
import { geminiLive } from './gemini.ts';
import { openaiRealtime } from './openai.ts';
import { openaiResponsesSocket } from './responses.ts';

/** The dialect of a sealed exchange; null where its operation is that of none. */
export function socketDialectOf(operation: unknown): SocketDialect | null {
  const dialects = [openaiRealtime, openaiResponsesSocket, geminiLive];
  return dialects.find((dialect) => dialect.operation === operation) ?? null;
}

/** The dialect that is spoken at a path (at the upstream, no query); null where none is known. */
export function socketDialectAt(path: string): SocketDialect | null {
  const segments = routeSegments(path);
  if (endsWithSegments(segments, ['realtime'])) return openaiRealtime;
  if (endsWithSegments(segments, ['realtime', 'translations'])) return openaiRealtime;
  if (endsWithSegments(segments, ['responses'])) return openaiResponsesSocket;
  const method = segments.at(-1)?.split('.').at(-1);
  const isLive = method === 'bidigeneratecontent' || method === 'bidigeneratecontentconstrained';
  return isLive ? geminiLive : null;
}
