/** Receivers by e-mail over SMTP. The only importer of `nodemailer`. */
import { createTransport } from 'nodemailer';
import { factsOf, headlineOf, linkOf, type Notice } from './notice.ts';
import { NotTaken, type Receiver } from './receiver.ts';

export interface MailOptions {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  /** `implicit`: TLS from the first byte; `starttls`: required before anything is said; `none`: for a relay on loopback. */
  readonly tls: 'implicit' | 'starttls' | 'none';
  readonly user: string | null;
  /** Read anew for each message; throws when it is gone. */
  readonly password: (() => string) | null;
  readonly from: string;
  readonly to: readonly string[];
  readonly consoleUrl: string;
  readonly timeoutMs: number;
}

export function openMailReceiver(options: MailOptions): Receiver {
  return {
    name: options.name,
    deliver: async (notice, signal) => {
      const transport = createTransport({
        host: options.host,
        port: options.port,
        secure: options.tls === 'implicit',
        requireTLS: options.tls === 'starttls',
        ignoreTLS: options.tls === 'none',
        tls: { minVersion: 'TLSv1.2' },
        ...authOf(options),
        connectionTimeout: options.timeoutMs,
        greetingTimeout: options.timeoutMs,
        socketTimeout: options.timeoutMs,
        // What a message is made of comes from here alone, never from a file or an address.
        disableFileAccess: true,
        disableUrlAccess: true,
      });
      try {
        await transport.sendMail({ ...mailOf(notice, options), signal });
      } catch (error) {
        throw notTaken(error);
      } finally {
        transport.close();
      }
    },
  };
}

function authOf({ user, password }: MailOptions) {
  if (user === null || password === null) return {};
  try {
    return { auth: { user, pass: password() } };
  } catch {
    // The place's own words would name it; the queue says what matters.
    throw new NotTaken('its password is not there');
  }
}

function mailOf(notice: Notice, options: MailOptions) {
  const link = linkOf(notice, options.consoleUrl);
  const lines = factsOf(notice).map(([name, value]) => `${name}: ${value}`);
  return {
    from: options.from,
    to: [...options.to],
    subject: `[Holdpoint] ${headlineOf(notice)}`,
    text: [headlineOf(notice), '', ...lines, '', link, ''].join('\n'),
    // The same for each attempt, so that mail systems can drop a repetition.
    messageId: `<${notice.id}@holdpoint.invalid>`,
    headers: { 'auto-submitted': 'auto-generated' },
  };
}

/** A server's words can quote addresses and a login: only the kind of failure and the SMTP status are said. */
function notTaken(error: unknown): NotTaken {
  const code =
    error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'failed';
  const status =
    error instanceof Error && 'responseCode' in error && typeof error.responseCode === 'number'
      ? ` ${error.responseCode}`
      : '';
  return new NotTaken(
    `the mail server did not take it (${/^[A-Z]{2,32}$/.test(code) ? code : 'failed'}${status})`,
  );
}
