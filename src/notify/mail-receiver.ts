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

/** Notices that some have taken and others have not; of more, all are told again. */
const partlyTakenMax = 1_000;

export function openMailReceiver(options: MailOptions): Receiver {
  /** Who has taken a notice, by its id, while others have not: an attempt for these is none for them. */
  const takenBy = new Map<string, readonly string[]>();

  function keepTaken(id: string, taken: readonly string[]): void {
    takenBy.set(id, taken);
    const [oldest] = takenBy.keys();
    if (takenBy.size > partlyTakenMax && oldest !== undefined) takenBy.delete(oldest);
  }

  return {
    name: options.name,
    deliver: async (notice, signal) => {
      const before = takenBy.get(notice.id) ?? [];
      const to = options.to.filter((address) => !before.includes(address));
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
      const mail = { ...mailOf(notice, options), envelope: { from: options.from, to }, signal };
      try {
        const { accepted, rejected } = await transport.sendMail(mail);
        if (rejected.length === 0) {
          takenBy.delete(notice.id);
          return;
        }
        // One who was refused, such as by a server that takes nothing from strangers at once, hears of it all the same.
        keepTaken(notice.id, [...before, ...to.filter((address) => accepted.includes(address))]);
        throw new NotTaken(`the mail server did not take it for ${rejected.length} of ${options.to.length}`);
      } catch (error) {
        throw error instanceof NotTaken ? error : notTaken(error);
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
