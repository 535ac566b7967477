/** A server that answers the command line as a test says, where a sidecar would not, or rarely. */
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import { portOf } from './socket-pair.ts';

export interface PlayedSidecar {
  /** What a command needs to ask it. */
  readonly env: Readonly<Record<string, string>>;
  close(): void;
}

export async function playSidecar(answer: RequestListener): Promise<PlayedSidecar> {
  const server = createServer(answer);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const env = { HOLDPOINT_URL: `http://127.0.0.1:${portOf(server)}`, HOLDPOINT_TOKEN: 'a-token' };
  return { env, close: () => server.close() };
}
