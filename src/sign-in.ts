/** The configuration of who is let in to the control port as the control plane takes it: secrets opened, files read. */
import { readFileSync } from 'node:fs';
import type { Environment } from './config/environment.ts';
import type { LoadedConfig } from './config/load.ts';
import type { ControlOptions } from './control/server.ts';
import { checkTls } from './control/sign-in/certificates.ts';
import type { Clock } from './core/clock.ts';
import { HoldpointError, messageOf } from './core/errors.ts';
import { openSecret } from './store/secret.ts';
import { watchFile } from './store/watched-file.ts';

export type SignInOptions = Pick<ControlOptions, 'publicUrl' | 'sessions' | 'oidc' | 'tls'>;

/** Throws `config_invalid` where a secret or a file is not there. */
export function signInOf({ control }: LoadedConfig, env: Environment, clock: Clock): SignInOptions {
  const { idleMsMax, lifetimeMsMax, oidc } = control.signIn;
  return {
    publicUrl: control.publicUrl ?? null,
    sessions: { idleMsMax, lifetimeMsMax },
    oidc: oidc === undefined ? null : oidcOf(oidc, env, clock),
    tls: control.tls === undefined ? null : tlsOf(control.tls, clock),
  };
}

function tlsOf(
  { cert, key, clientCa, clients }: NonNullable<LoadedConfig['control']['tls']>,
  clock: Clock,
): NonNullable<SignInOptions['tls']> {
  const pem = (file: string) =>
    watchFile(file, (text) => (text.includes('-----BEGIN ') ? text : null), clock.nowMs);
  const options = {
    cert: pem(cert),
    key: pem(key),
    clientCa: clientCa === undefined ? null : pem(clientCa),
    clients,
  };
  checkTls(options);
  return options;
}

function oidcOf(
  { clientSecret, caFile, ...oidc }: NonNullable<LoadedConfig['control']['signIn']['oidc']>,
  env: Environment,
  clock: Clock,
): NonNullable<SignInOptions['oidc']> {
  return {
    ...oidc,
    clientSecret:
      clientSecret === undefined
        ? null
        : openSecret('control.signIn.oidc.clientSecret', clientSecret, env, clock.nowMs),
    ca: caFile === undefined ? undefined : textOf('control.signIn.oidc.caFile', caFile),
  };
}

function textOf(setting: string, file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new HoldpointError(
      'config_invalid',
      `${setting}: ${file} cannot be read: ${messageOf(error)}.`,
      'Put it there before the start.',
      error,
    );
  }
}
