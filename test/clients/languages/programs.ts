/** Programs of other languages that ask what a file says, one line a question, and print what they were told. */
import { spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { pythonPath } from '../../support/python.ts';

/** `leave` closes the connection once `Hel` was said; `pieces` sends a body whose length is not told. */
export interface Question {
  readonly name: string;
  readonly how: 'whole' | 'pieces' | 'leave';
  readonly body: string;
}

/** The sidecar's forward proxy, and the certificate of its authority. */
export interface Proxy {
  readonly url: string;
  readonly caFile: string;
}

interface Command {
  readonly command: string;
  /** Arguments before the base URL and the file of questions. */
  readonly before: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

export interface Program {
  readonly who: string;
  readonly direct: Command;
  /** As its documentation says that a proxy is used and an authority trusted. */
  readonly through: (proxy: Proxy) => Command;
  /** Why it cannot run here; '' where it can. */
  readonly missing: string;
}

const fileOf = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

interface Runtime {
  readonly command: string;
  /** Arguments before the file. */
  readonly flags: readonly string[];
  readonly env?: Command['env'];
  /** What a proxy asks for besides. */
  readonly proxied: (proxy: Proxy) => { readonly flags: readonly string[]; readonly env: Command['env'] };
  /** Ends well where all that is needed is here. */
  readonly check: readonly string[];
  /** Debian's, that bring it. */
  readonly packages: string;
}

function program(file: string, { command, flags, env, proxied, check, packages }: Runtime): Program {
  const isThere = spawnSync(command, [...check]).status === 0;
  const withFlags = (more: readonly string[], proxyEnv: Command['env']): Command => ({
    command,
    before: [...flags, ...more, fileOf(file)],
    env: { ...env, ...proxyEnv },
  });
  return {
    who: file,
    direct: withFlags([], {}),
    through: (proxy) => {
      const set = proxied(proxy);
      return withFlags(set.flags, set.env);
    },
    missing: isThere ? '' : `apt-get install ${packages}`,
  };
}

const byEnvironment =
  (trust: string): Runtime['proxied'] =>
  ({ url, caFile }) => ({ flags: [], env: { HTTPS_PROXY: url, [trust]: caFile } });

const python = (file: string, library: string, trust = 'SSL_CERT_FILE', debians = library): Program =>
  program(file, {
    command: pythonPath,
    flags: [],
    proxied: byEnvironment(trust),
    check: ['-c', `import ${library}`],
    packages: `python3-${debians}`,
  });

const go: Runtime = {
  command: 'go',
  flags: ['run'],
  // It compiles, wherever this runs.
  env: { GO111MODULE: 'off', GOFLAGS: '', GOCACHE: join(tmpdir(), 'holdpoint-go') },
  proxied: byEnvironment('SSL_CERT_FILE'),
  check: ['version'],
  packages: 'golang-go',
};

const storePassword = 'changeit';

const java: Runtime = {
  command: 'java',
  flags: [],
  proxied: ({ url, caFile }) => {
    const store = `${caFile}.p12`;
    const kept = ['-keystore', store, '-storepass', storePassword, '-storetype', 'PKCS12'];
    spawnSync('keytool', ['-importcert', '-noprompt', '-alias', 'holdpoint', '-file', caFile, ...kept]);
    const { hostname, port } = new URL(url);
    return {
      flags: [
        `-Dhttps.proxyHost=${hostname}`,
        `-Dhttps.proxyPort=${port}`,
        `-Djavax.net.ssl.trustStore=${store}`,
        `-Djavax.net.ssl.trustStorePassword=${storePassword}`,
      ],
      env: {},
    };
  },
  check: ['--describe-module', 'jdk.compiler'],
  packages: 'default-jdk-headless',
};

const ruby: Runtime = {
  command: 'ruby',
  flags: [],
  // It looks for the proxy of http: before it knows whether it will encrypt.
  proxied: ({ url, caFile }) => ({ flags: [], env: { http_proxy: url, SSL_CERT_FILE: caFile } }),
  check: ['--version'],
  packages: 'ruby',
};

const php: Runtime = {
  command: 'php',
  flags: [],
  proxied: ({ url, caFile }) => ({ flags: ['-d', `curl.cainfo=${caFile}`], env: { HTTPS_PROXY: url } }),
  check: ['-r', 'exit(extension_loaded("curl") ? 0 : 1);'],
  packages: 'php-cli php-curl',
};

export const programs: readonly Program[] = [
  python('with_httpx.py', 'httpx'),
  python('with_httpx_async.py', 'httpx'),
  python('with_aiohttp.py', 'aiohttp'),
  python('with_requests.py', 'requests', 'REQUESTS_CA_BUNDLE'),
  program('net_http.go', go),
  program('NetHttp.java', java),
  program('net_http.rb', ruby),
  program('with_curl.php', php),
];

/** They take the address of a session and what is said in it, and print each event until the last answer has ended. */
export const sessionPrograms: readonly Program[] = [
  python('with_websockets.py', 'websockets'),
  python('with_aiohttp_socket.py', 'aiohttp'),
];

/** It takes the host and port, and the methods that it calls. */
export const grpcProgram = python('with_grpc.py', 'grpc', 'SSL_CERT_FILE', 'grpcio');

/** Programs under titles that say what is missing for them. */
export const titled = (
  of: readonly Program[],
): readonly { readonly title: string; readonly program: Program }[] =>
  of.map((one) => ({
    title: one.missing === '' ? one.who : `${one.who} (missing: ${one.missing})`,
    program: one,
  }));

/** As the programs read it: tabs between name, how, and the body in base64. */
export const lineOf = ({ name, how, body }: Question): string =>
  `${name}\t${how}\t${Buffer.from(body).toString('base64')}\n`;

export interface Told {
  readonly name: string;
  readonly status: number;
  readonly said: string;
}

/** What a program printed. A complaint among it is an answer without a status, so that it shows. */
export function toldOf(printed: string): readonly Told[] {
  return printed
    .trimEnd()
    .split('\n')
    .map((line) => {
      const [name = '', status, said = ''] = line.split('\t');
      return { name, status: Number(status), said: Buffer.from(said, 'base64').toString() };
    });
}
