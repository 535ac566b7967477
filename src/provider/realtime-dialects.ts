/** Which API speaks at a path, by the path alone: compatible servers mount it anywhere. Pure. */
import type { SocketDialect } from './realtime.ts';
import { geminiLive } from './realtime-gemini.ts';
import { openaiRealtime } from './realtime-openai.ts';
import { openaiResponsesSocket } from './realtime-responses.ts';
import { endsWithSegments, routeSegments } from './route.ts';

/** The dialect that is spoken at a path (below the mount, no query); null where none is known. */
export function socketDialectAt(path: string): SocketDialect | null {
  const segments = routeSegments(path);
  if (endsWithSegments(segments, ['realtime'])) return openaiRealtime;
  if (endsWithSegments(segments, ['realtime', 'translations'])) return openaiRealtime;
  if (endsWithSegments(segments, ['responses'])) return openaiResponsesSocket;
  const method = segments.at(-1)?.split('.').at(-1);
  const isLive = method === 'bidigeneratecontent' || method === 'bidigeneratecontentconstrained';
  return isLive ? geminiLive : null;
}
