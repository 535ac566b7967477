/** The configuration of who is let in to the control port as the control plane takes it: secrets opened, files read. */
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Environment } from './config/environment.ts';
import type { LoadedConfig } from './config/load.ts';
import type { ControlOptions } from './control/server.ts';
import { checkTls } from './control/sign-in/certificates.ts';
import type { Clock } from './core/clock.ts';
import type { Egress } from './core/egress.ts';
import { HoldpointError, refusalOf } from './core/errors.ts';
import { openSecret } from './store/secret.ts';
import { watchFile } from './store/watched-file.ts';

export type SignInOptions = Pick<ControlOptions, 'publicUrl' | 'sessions' | 'oidc' | 'tls' | 'kubernetes'>;

/** Throws `config_invalid` where a secret or a file is not there. */
export function signInOf(
  { control }: LoadedConfig,
  env: Environment,
  egress: Egress,
  clock: Clock,
): SignInOptions {
  const { idleMsMax, lifetimeMsMax, oidc } = control.signIn;
  return {
    publicUrl: control.publicUrl ?? null,
    sessions: { idleMsMax, lifetimeMsMax },
    oidc: oidc === undefined ? null : oidcOf(oidc, env, egress, clock),
    tls: control.tls === undefined ? null : tlsOf(control.tls, clock),
    kubernetes:
      control.kubernetes === undefined
        ? null
        : kubernetesOf(control.kubernetes, Object.keys(control.roles), env, clock),
  };
}

function tlsOf(
  { cert, key, clientCa, clients }: NonNullable<LoadedConfig['control']['tls']>,
  clock: Clock,
): NonNullable<SignInOptions['tls']> {
  const opened = (setting: string, file: string, what: string, holds: (text: string) => boolean) => {
    heldIn(`control.tls.${setting}`, file, what, holds);
    return watchFile(file, (text) => (holds(text) ? text : null), clock.nowMs);
  };
  const options = {
    cert: opened('cert', cert, 'PEM', holdsPem),
    key: opened('key', key, 'PEM', holdsPem),
    clientCa:
      clientCa === undefined ? null : opened('clientCa', clientCa, 'certificate in PEM', holdsCertificate),
    clients,
  };
  checkTls(options);
  return options;
}

function oidcOf(
  { clientSecret, caFile, ...oidc }: NonNullable<LoadedConfig['control']['signIn']['oidc']>,
  env: Environment,
  egress: Egress,
  clock: Clock,
): NonNullable<SignInOptions['oidc']> {
  return {
    ...oidc,
    egress,
    clientSecret:
      clientSecret === undefined
        ? null
        : openSecret('control.signIn.oidc.clientSecret', clientSecret, env, clock.nowMs),
    ca:
      caFile === undefined
        ? undefined
        : heldIn('control.signIn.oidc.caFile', caFile, 'certificate in PEM', holdsCertificate),
  };
}

/** In the cluster, as the kubelet says where its API server is and who the pod is. */
function kubernetesOf(
  { audience, credentials }: NonNullable<LoadedConfig['control']['kubernetes']>,
  roles: readonly string[],
  env: Environment,
  clock: Clock,
): NonNullable<SignInOptions['kubernetes']> {
  const [host, port] = [env['KUBERNETES_SERVICE_HOST'], env['KUBERNETES_SERVICE_PORT']];
  if (host === undefined || port === undefined)
    throw new HoldpointError(
      'config_invalid',
      'control.kubernetes: KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not set.',
      'Run in a pod, or leave the setting out.',
    );
  const read = (name: string) =>
    watchFile(join(credentials, name), (text) => (text.trim() === '' ? null : text), clock.nowMs);
  const files = { token: read('token'), ca: read('ca.crt'), namespace: read('namespace') };
  for (const [name, current] of Object.entries(files))
    if (current() === null)
      throw new HoldpointError(
        'config_invalid',
        `control.kubernetes: ${credentials} has no ${name === 'ca' ? 'ca.crt' : name}.`,
        'Mount the service account into the sidecar; see k8s/README.md.',
      );
  return {
    server: new URL(`https://${host.includes(':') ? `[${host}]` : host}:${port}`),
    audience,
    roles,
    ...files,
  };
}

function holdsPem(text: string): boolean {
  return text.includes('-----BEGIN ');
}

/** TLS takes a file without any for authorities that let nobody in, and says nothing. */
function holdsCertificate(text: string): boolean {
  try {
    return new X509Certificate(text).raw.length > 0;
  } catch {
    // Whatever else it is, it is no certificate.
    return false;
  }
}

/** The text of a file that has to hold something at the start. */
function heldIn(setting: string, file: string, what: string, holds: (text: string) => boolean): string {
  const text = textOf(setting, file);
  if (holds(text)) return text;
  throw new HoldpointError('config_invalid', `${setting}: ${file} holds no ${what}.`, 'Put it there.');
}

function textOf(setting: string, file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new HoldpointError(
      'config_invalid',
      `${setting}: ${file} cannot be read: ${refusalOf(error)}.`,
      'Put it there before the start, where this user may read it.',
      error,
    );
  }
}
