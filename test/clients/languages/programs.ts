/** Programs of other languages that ask what a file says, one line a question, and print what they were told. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { pythonPath } from '../../support/python.ts';

/** `leave` closes the connection once `Hel` was said; `pieces` sends a body whose length is not told. */
export interface Question {
  readonly name: string;
  readonly how: 'whole' | 'pieces' | 'leave';
  readonly body: string;
}

export interface Program {
  readonly who: string;
  readonly command: string;
  /** Arguments before the base URL and the file of questions. */
  readonly before: readonly string[];
  /** It goes through HTTPS_PROXY, and trusts the authority that SSL_CERT_FILE or REQUESTS_CA_BUNDLE names. */
  readonly heedsProxy: boolean;
  /** Why it cannot run here; '' where it can. */
  readonly missing: string;
}

const fileOf = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

function program(
  command: string,
  before: readonly string[],
  file: string,
  heedsProxy: boolean,
  needs: { readonly args: readonly string[]; readonly packages: string },
): Program {
  const isThere = spawnSync(command, [...needs.args]).status === 0;
  return {
    who: file,
    command,
    before: [...before, fileOf(file)],
    heedsProxy,
    missing: isThere ? '' : `apt-get install ${needs.packages}`,
  };
}

const python = (file: string, library: string, debians = library): Program =>
  program(pythonPath, [], file, true, { args: ['-c', `import ${library}`], packages: `python3-${debians}` });

export const programs: readonly Program[] = [
  python('with_httpx.py', 'httpx'),
  python('with_httpx_async.py', 'httpx'),
  python('with_aiohttp.py', 'aiohttp'),
  python('with_requests.py', 'requests'),
  program('go', ['run'], 'net_http.go', true, { args: ['version'], packages: 'golang-go' }),
  program('java', [], 'NetHttp.java', false, {
    args: ['--describe-module', 'jdk.compiler'],
    packages: 'default-jdk-headless',
  }),
  program('ruby', [], 'net_http.rb', false, { args: ['--version'], packages: 'ruby' }),
  program('php', [], 'with_curl.php', false, {
    args: ['-r', 'exit(extension_loaded("curl") ? 0 : 1);'],
    packages: 'php-cli php-curl',
  }),
];

/** They take the address of a session and what is said in it, and print each event until the last answer has ended. */
export const sessionPrograms: readonly Program[] = [
  python('with_websockets.py', 'websockets'),
  python('with_aiohttp_socket.py', 'aiohttp'),
];

/** It takes the host and port, and the methods that it calls. */
export const grpcProgram = python('with_grpc.py', 'grpc', 'grpcio');

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
