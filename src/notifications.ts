/** Notifications, as configured. Part of the composition: configuration -> receivers -> notifier. */
import type { Environment } from './config/environment.ts';
import { type LoadedConfig, parseAddress } from './config/load.ts';
import type { ReceiverConfig } from './config/notify.ts';
import { type Clock, type Schedule, systemRandom } from './core/clock.ts';
import type { Egress } from './core/egress.ts';
import { HoldpointError } from './core/errors.ts';
import type { HoldQueue } from './hold/queue.ts';
import type { Ledger } from './ledger/ledger.ts';
import { slackMessage, teamsMessage } from './notify/chat.ts';
import { cloudEventOf, type NoticeType } from './notify/notice.ts';
import { type Notifier, type NotifierEvent, startNotifier } from './notify/notifier.ts';
import type { Receiver } from './notify/receiver.ts';
import { webhookKey } from './notify/signature.ts';
import { openWebReceiver, receiverUrl } from './notify/web-receiver.ts';
import { makePrivateDirectory } from './store/directory.ts';
import { openSecret } from './store/secret.ts';
import type { Logger } from './telemetry/logger.ts';
import type { Metrics } from './telemetry/metrics.ts';

interface Parts {
  readonly config: LoadedConfig;
  readonly env: Environment;
  readonly egress: Egress;
  readonly ledger: Ledger;
  readonly holds: HoldQueue;
  readonly clock: Clock;
  readonly schedule: Schedule;
  readonly log: Logger;
  readonly metrics: Metrics;
}

const counted = 'holdpoint_notifications_total';
const outcomes = ['sent', 'failed', 'dead', 'dropped'] as const;

/** Starts telling. Rejects with `config_invalid` where a secret is not there or what waited cannot be read; then nothing runs. */
export async function openNotifications(parts: Parts): Promise<Notifier> {
  const { config, ledger, holds, clock, schedule, metrics } = parts;
  const { to, remindBeforeMs, timeoutMs, giveUpAfterMs, queueMax } = config.notify;
  const receivers = await Promise.all(
    Object.entries(to).map(async ([name, receiver]) => ({
      receiver: await receiverOf(name, receiver, parts),
      types: receiver.events.map((event): NoticeType => `holdpoint.hold.${event}`),
      severityMin: receiver.severityMin,
    })),
  );
  for (const receiver of Object.keys(to))
    for (const outcome of outcomes) metrics.declare(counted, { receiver, outcome });
  return startNotifier({
    directory: config.paths.notifyDir,
    makeDirectory: makePrivateDirectory,
    to: receivers,
    holds,
    decisionId: ledger.decisionId,
    clock,
    schedule,
    random: systemRandom,
    remindBeforeMs,
    timeoutMs,
    giveUpAfterMs,
    queueMax,
    onEvent: (event) => onEvent(event, parts),
  });
}

/** The two gauges of the metrics page. */
export function notificationGauges(notifier: Notifier) {
  const messages = notifier.messages();
  const count = (state: string) => messages.filter((message) => message.state === state).length;
  return { holdpoint_notifications_pending: count('pending'), holdpoint_notifications_dead: count('dead') };
}

function onEvent(event: NotifierEvent, { log, metrics }: Parts): void {
  if (event.kind === 'not_durable') {
    log.error('notifications cannot be kept on disk', event.error);
    return;
  }
  const { kind: outcome, receiver, id } = event;
  metrics.count(counted, { receiver, outcome });
  if (event.kind === 'failed') log.warn('notification not taken', { receiver, id, reason: event.reason });
  else if (event.kind !== 'sent') log.warn(`notification ${event.kind}`, { receiver, id });
}

async function receiverOf(
  name: string,
  receiver: ReceiverConfig,
  { config, env, egress, clock, ledger }: Parts,
): Promise<Receiver> {
  const path = `notify.to.${name}`;
  const consoleUrl = consoleUrlOf(config);
  const secretOf = (field: string, place: Parameters<typeof openSecret>[1]) =>
    openSecret(`${path}.${field}`, place, env, clock.nowMs);
  switch (receiver.kind) {
    case 'webhook': {
      const { url } = receiver;
      const secret = secretOf('secret', receiver.secret);
      if (webhookKey(secret()) === null)
        throw new HoldpointError(
          'config_invalid',
          `${path}.secret: this is no Standard Webhooks secret.`,
          'It is whsec_ and 24 to 64 random bytes in base64: echo "whsec_$(openssl rand -base64 32)"',
        );
      return openWebReceiver({
        name,
        url: () => url,
        contentType: 'application/cloudevents+json; charset=utf-8',
        bodyOf: (notice) => cloudEventOf(notice, ledger.origin, consoleUrl),
        secret,
        clock,
        egress,
      });
    }
    case 'slack':
    case 'teams': {
      const message = receiver.kind === 'slack' ? slackMessage : teamsMessage;
      const bodyOf = (notice: Parameters<typeof message>[0]) => message(notice, consoleUrl);
      const url = secretOf('url', receiver.url);
      if (receiverUrl(url()) === null)
        throw new HoldpointError(
          'config_invalid',
          `${path}.url: what is in its place is no address, or one with a user.`,
          `Put the address there that ${receiver.kind === 'slack' ? 'Slack' : 'Teams'} gave, such as https://hooks.example.com/services/T/B/x`,
        );
      const contentType = 'application/json';
      return openWebReceiver({ name, url, contentType, bodyOf, secret: null, clock, egress });
    }
    case 'email': {
      const { host, port, tls, from, to, user = null } = receiver;
      const password = receiver.password === undefined ? null : secretOf('password', receiver.password);
      const { timeoutMs } = config.notify;
      // Only where it is needed: nodemailer takes 5 MB of every sidecar that has it in memory.
      const { openMailReceiver } = await import('./notify/mail-receiver.ts');
      return openMailReceiver({ name, host, port, tls, user, password, from, to, consoleUrl, timeoutMs });
    }
  }
}

function consoleUrlOf({ notify, control }: LoadedConfig): string {
  if (notify.consoleUrl !== undefined) return notify.consoleUrl.replace(/\/+$/, '');
  if (control.publicUrl !== undefined) return control.publicUrl;
  const { host, port } = parseAddress(control.listen);
  return `${control.tls === undefined ? 'http' : 'https'}://${host.includes(':') ? `[${host}]` : host}:${port}`;
}
