/** What the sidecar is held against: a bare `http-proxy` server that records nothing. */
import { Agent, createServer } from 'node:http';
import httpProxy from 'http-proxy';

const [target = ''] = process.argv.slice(2);
const proxy = httpProxy.createProxyServer({ target, agent: new Agent({ keepAlive: true, maxSockets: 256 }) });
const server = createServer((req, res) => proxy.web(req, res));
proxy.on('error', (error: Error) => process.stderr.write(`bare-proxy: ${error.message}\n`));
server.keepAliveTimeout = 120_000;
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  if (typeof address === 'object' && address !== null)
    process.stdout.write(`listening on http://127.0.0.1:${address.port}\n`);
});
