/** E-mail, taken by a real SMTP server. */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';
import { afterEach, describe, expect, it } from 'vitest';
import { type MailOptions, openMailReceiver } from '../../src/notify/mail-receiver.ts';
import { noticeOf } from '../../src/notify/notice.ts';
import { startMs, testHold } from './scene.ts';

let server: SMTPServer | null = null;
afterEach(() => {
  server?.close();
  server = null;
});

interface Mail {
  readonly from: string;
  readonly to: readonly string[];
  readonly text: string;
  readonly user: string;
}

async function startMailServer(options: SMTPServerOptions = {}) {
  const mails: Mail[] = [];
  const started = new SMTPServer({
    authOptional: true,
    logger: false,
    onData: (stream, session, done) => {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        const { mailFrom, rcptTo } = session.envelope;
        mails.push({
          from: mailFrom === false ? '' : mailFrom.address,
          to: rcptTo.map(({ address }) => address),
          text: Buffer.concat(chunks).toString('utf8'),
          user: session.user ?? '',
        });
        done();
      });
    },
    ...options,
  });
  // A client that does not trust the certificate hangs up: that is what is tested.
  started.on('error', () => undefined);
  server = started;
  const listening = started.listen(0, '127.0.0.1');
  await once(listening, 'listening');
  const { port } = listening.address() as AddressInfo;
  return { port, mails };
}

function receiverAt(port: number, given: Partial<MailOptions> = {}) {
  return openMailReceiver({
    name: 'mail',
    host: '127.0.0.1',
    port,
    tls: 'none',
    user: null,
    password: null,
    from: 'holdpoint@example.com',
    to: ['ops@example.com', 'desk@example.com'],
    consoleUrl: 'https://console.example.com',
    timeoutMs: 5_000,
    ...given,
  });
}

const notice = noticeOf('holdpoint.hold.opened', testHold(17), 'd-0a1b2c3d-16', startMs);
const signal = new AbortController().signal;

describe('an e-mail', () => {
  it('says which hold, by which rule, until when, and where to rule', async () => {
    const { port, mails } = await startMailServer();
    await receiverAt(port).deliver(notice, signal);
    const [mail] = mails;
    expect([mail?.from, mail?.to]).toEqual([
      'holdpoint@example.com',
      ['ops@example.com', 'desk@example.com'],
    ]);
    expect(mail?.text).toMatch(/^Subject: \[Holdpoint\] A call is held and waits for a ruling:/m);
    expect(mail?.text).toMatch(/^Message-ID: <h-0a1b2c3d-17\.opened@holdpoint\.invalid>\r$/m);
    for (const line of [
      'Severity: high',
      'Rule: large-transfer: Transfers need a reviewer',
      'Expires: 2026-11-26T10:15:00.000Z',
      'https://console.example.com/#/holds/h-0a1b2c3d-17',
    ])
      expect(mail?.text.split('\r\n')).toContain(line);
  });

  it('is sent under the login that the server asks for', async () => {
    const { port, mails } = await startMailServer({
      authOptional: false,
      allowInsecureAuth: true,
      onAuth: ({ username, password }, _session, done) =>
        password === 'right' ? done(null, { user: username ?? '' }) : done(new Error('no')),
    });
    await receiverAt(port, { user: 'holdpoint', password: () => 'right' }).deliver(notice, signal);
    expect(mails.map(({ user }) => user)).toEqual(['holdpoint']);
    const refused = receiverAt(port, { user: 'holdpoint', password: () => 'wrong-secret' });
    await expect(refused.deliver(notice, signal)).rejects.toThrow(
      /^the mail server did not take it \(EAUTH 535\)$/,
    );
  });

  it('is not sent without its password once that was taken away, and its place is not said', async () => {
    const { port, mails } = await startMailServer();
    const password = (): string => {
      throw new Error('/run/secrets/SECRET is not there');
    };
    const receiver = receiverAt(port, { user: 'holdpoint', password });
    await expect(receiver.deliver(notice, signal)).rejects.toThrow(/^its password is not there$/);
    expect(mails).toEqual([]);
  });

  it('is given up at once when its time is over, whatever the server waits for', async () => {
    const asked = Promise.withResolvers<void>();
    const { port } = await startMailServer({ onMailFrom: () => asked.resolve() });
    const over = new AbortController();
    const sent = receiverAt(port, { timeoutMs: 60_000 }).deliver(notice, over.signal);
    const settled = expect(sent).rejects.toThrow(/did not take it/);
    await asked.promise;
    over.abort();
    await settled;
  });

  it('is not sent where STARTTLS is demanded and not offered', async () => {
    const { port, mails } = await startMailServer({ hideSTARTTLS: true });
    await expect(receiverAt(port, { tls: 'starttls' }).deliver(notice, signal)).rejects.toThrow(
      /did not take it/,
    );
    expect(mails).toEqual([]);
  });

  it('is not sent to a server whose certificate nobody vouches for', async () => {
    const { port, mails } = await startMailServer();
    await expect(receiverAt(port, { tls: 'starttls' }).deliver(notice, signal)).rejects.toThrow(
      /did not take it/,
    );
    expect(mails).toEqual([]);
  });

  it('that the server takes for one and not for another is sent to that one alone once more', async () => {
    let refusals = 1;
    const { port, mails } = await startMailServer({
      onRcptTo: ({ address }, _session, done) => {
        const isLater = address === 'desk@example.com' && refusals-- > 0;
        done(isLater ? Object.assign(new Error('Greylisted'), { responseCode: 451 }) : null);
      },
    });
    const receiver = receiverAt(port);
    await expect(receiver.deliver(notice, signal)).rejects.toThrow(
      /^the mail server did not take it for 1 of 2$/,
    );
    await receiver.deliver(notice, signal);
    await receiver.deliver({ ...notice, id: 'another' }, signal);
    expect(mails.map(({ to }) => to)).toEqual([
      ['ops@example.com'],
      ['desk@example.com'],
      ['ops@example.com', 'desk@example.com'],
    ]);
    for (const { text } of mails) expect(text).toMatch(/^To: ops@example.com, desk@example.com\r$/m);
  });

  it('that is refused says the kind of failure and none of the server’s words', async () => {
    const { port } = await startMailServer({
      onRcptTo: (_address, _session, done) => done(new Error('no such user as canaryQ7x')),
    });
    await expect(receiverAt(port).deliver(notice, signal)).rejects.toThrow(
      /^the mail server did not take it \(EENVELOPE 550\)$/,
    );
  });
});
