/**
 * A provider for the namespaces: port 443, a certificate for each host it is given, and an answer that says what it
 * was asked, the credential backwards, as no sidecar lets it through forwards. Arguments: a directory, then hosts; there it finds `<host>.pem` and `key.pem`.
 */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { join } from 'node:path';
import { createSecureContext } from 'node:tls';

const [directory = '', ...hosts] = process.argv.slice(2);
const key = readFileSync(join(directory, 'key.pem'));
const contexts = new Map(
  hosts.map((host) => [
    host,
    createSecureContext({ key, cert: readFileSync(join(directory, `${host}.pem`)) }),
  ]),
);
const server = createServer({ SNICallback: (name, done) => done(null, contexts.get(name)) }, (req, res) => {
  const { authorization = '' } = req.headers;
  res.setHeader('content-type', 'application/json');
  res.end(
    JSON.stringify({
      host: req.headers.host,
      path: req.url,
      credential: [...authorization].reverse().join(''),
    }),
  );
});
server.listen(443, '0.0.0.0', () => process.stdout.write('ready\n'));
