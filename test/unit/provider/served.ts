/** Serves given bytes as a provider's answer, so that the official SDKs read them as from the network. */
import { createServer } from 'node:http';
import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';

export interface Served {
  /** Where it listens, for SDKs other than the two here. */
  readonly url: string;
  readonly openai: OpenAI;
  readonly anthropic: Anthropic;
  /** What the next request is answered with. */
  answerWith(status: number, contentType: string, body: string | Buffer): void;
  close(): Promise<void>;
}

/** Starts the server on loopback. */
export async function serve(): Promise<Served> {
  let next = { status: 500, contentType: 'text/plain', body: Buffer.from('nothing to serve') };
  const server = createServer((req, res) => {
    req.resume();
    res.writeHead(next.status, { 'content-type': next.contentType }).end(next.body);
  });
  const listening = Promise.withResolvers<void>();
  server.listen(0, '127.0.0.1', listening.resolve);
  await listening.promise;
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const url = `http://127.0.0.1:${port}`;
  return {
    url,
    openai: new OpenAI({ apiKey: 'none', baseURL: `${url}/v1`, maxRetries: 0 }),
    anthropic: new Anthropic({ apiKey: 'none', baseURL: url, maxRetries: 0 }),
    answerWith(status, contentType, body) {
      next = { status, contentType, body: Buffer.from(body) };
    },
    async close() {
      const closed = Promise.withResolvers<void>();
      server.close(() => closed.resolve());
      server.closeAllConnections();
      await closed.promise;
    },
  };
}
