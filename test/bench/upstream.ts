/** The provider of the benchmark, a process of its own: fixed bytes, plain and streaming, as fast as node:http goes. */
import { createServer, type ServerResponse } from 'node:http';

const answerText = 'The hold point is the step past which work may not go without a release. '.repeat(10);
const plain = Buffer.from(
  JSON.stringify({
    id: 'chatcmpl-bench',
    object: 'chat.completion',
    created: 1_700_000_000,
    model: 'gpt-4.1-2025-04-14',
    choices: [
      {
        index: 0,
        message: { role: 'assistant', content: answerText, refusal: null },
        logprobs: null,
        finish_reason: 'stop',
      },
    ],
    usage: { prompt_tokens: 180, completion_tokens: 170, total_tokens: 350 },
    system_fingerprint: 'fp_bench',
  }),
);

function frame(delta: unknown, finish: string | null): string {
  return `data: ${JSON.stringify({ id: 'chatcmpl-bench', object: 'chat.completion.chunk', created: 1_700_000_000, model: 'gpt-4.1-2025-04-14', choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`;
}

const streamWords = answerText.split(' ').slice(0, 40);

/** `paceMs` between two words. */
function speak(res: ServerResponse, at: number, paceMs: number): void {
  const word = streamWords[at];
  if (word === undefined) {
    res.end(`${frame({}, 'stop')}data: [DONE]\n\n`);
    return;
  }
  res.write(frame({ content: `${word} ` }, null));
  setTimeout(speak, paceMs, res, at + 1, paceMs);
}

const server = createServer((req, res) => {
  let body = '';
  req.setEncoding('latin1');
  req.on('data', (chunk: string) => {
    body += chunk;
  });
  req.on('end', () => {
    if (!body.includes('"stream":true')) {
      res.writeHead(200, { 'content-type': 'application/json', 'content-length': plain.length });
      res.end(plain);
      return;
    }
    res.writeHead(200, { 'content-type': 'text/event-stream' });
    res.write(frame({ role: 'assistant', content: '' }, null));
    const paceMs = Number(req.headers['x-pace-ms'] ?? 0);
    if (paceMs > 0) {
      speak(res, 0, paceMs);
      return;
    }
    for (const word of streamWords) res.write(frame({ content: `${word} ` }, null));
    res.end(`${frame({}, 'stop')}data: [DONE]\n\n`);
  });
});
server.keepAliveTimeout = 120_000;
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  if (typeof address === 'object' && address !== null)
    process.stdout.write(`listening on http://127.0.0.1:${address.port}\n`);
});
