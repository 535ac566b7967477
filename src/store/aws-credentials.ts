/**
 * Amazon credentials from the environment or from a shared credentials file, which is read again when it changes, so
 * that what rotates them needs no restart (https://docs.aws.amazon.com/sdkref/latest/guide/file-format.html). They
 * are never logged or written anywhere.
 */
import { HoldpointError } from '../core/errors.ts';
import { watchFile } from './watched-file.ts';

export interface AwsCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Opens the credentials that the setting named `setting` needs: those of the environment where they are set,
 * as Amazon's SDKs do it. Throws `config_invalid` naming what is missing. The function it returns throws
 * `upstream_unreachable` when a file holds none any more: what was taken away is not used on.
 */
export function openAwsCredentials(
  env: Environment,
  setting: string,
  nowMs: () => number,
): () => AwsCredentials {
  const file = env['AWS_SHARED_CREDENTIALS_FILE'] ?? '';
  const inEnvironment = ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY'].some(
    (name) => (env[name] ?? '') !== '',
  );
  if (file === '' || inEnvironment) {
    const credentials = credentialsIn(env, setting);
    return () => credentials;
  }
  const profile = env['AWS_PROFILE'] || 'default';
  const current = watchFile(file, (text) => credentialsOf(profile, text), nowMs);
  const lacks = `the file ${file} holds no credentials for the profile ${profile}`;
  if (current() === null) throw missing(setting, lacks);
  return () => {
    const credentials = current();
    if (credentials !== null) return credentials;
    const next = 'Put them back.';
    throw new HoldpointError('upstream_unreachable', `${setting}: ${lacks} any more.`, next);
  };
}

function credentialsIn(env: Environment, setting: string): AwsCredentials {
  const accessKeyId = env['AWS_ACCESS_KEY_ID'] ?? '';
  const secretAccessKey = env['AWS_SECRET_ACCESS_KEY'] ?? '';
  const sessionToken = env['AWS_SESSION_TOKEN'] ?? '';
  const absent = [
    ...(accessKeyId === '' ? ['AWS_ACCESS_KEY_ID'] : []),
    ...(secretAccessKey === '' ? ['AWS_SECRET_ACCESS_KEY'] : []),
  ];
  if (absent.length > 0) throw missing(setting, `the environment has no ${absent.join(' and no ')}`);
  return { accessKeyId, secretAccessKey, ...(sessionToken === '' ? {} : { sessionToken }) };
}

function missing(setting: string, what: string): HoldpointError {
  return new HoldpointError(
    'config_invalid',
    `${setting}: ${what}.`,
    'Set the credentials of an identity that may call the service, or leave the setting out.',
  );
}

/** A section's name, or a setting; comments stand on lines of their own. */
const sectionLine = /^\[\s*([^\]]*?)\s*\]/;
const settingLine = /^([A-Za-z_]+)\s*=\s*(\S*)\s*$/;

/** The credentials of a profile; null where the text has none that are whole. */
function credentialsOf(profile: string, text: string): AwsCredentials | null {
  const settings = new Map<string, string>();
  let isMeant = false;
  for (const line of text.split(/\r?\n/)) {
    const section = sectionLine.exec(line)?.[1];
    if (section !== undefined) isMeant = section === profile;
    const [, name, value = ''] = settingLine.exec(line) ?? [];
    if (isMeant && name !== undefined) settings.set(name.toLowerCase(), value);
  }
  const accessKeyId = settings.get('aws_access_key_id') ?? '';
  const secretAccessKey = settings.get('aws_secret_access_key') ?? '';
  const sessionToken = settings.get('aws_session_token') ?? '';
  if (accessKeyId === '' || secretAccessKey === '') return null;
  return { accessKeyId, secretAccessKey, ...(sessionToken === '' ? {} : { sessionToken }) };
}
