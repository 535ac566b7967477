/** A sidecar whose time stands still, before an upstream made of bytes. */
import { connectRaw, type RawClient, rawRequest } from '../support/raw-client.ts';
import { type RawUpstream, startRawUpstream, wholeAnswer } from '../support/raw-upstream.ts';
import { type Settings, startTestSidecar, type TestSidecar } from '../support/sidecar.ts';
import { createManualTime, type ManualTime } from '../support/time.ts';
import { chatText } from './answers.ts';

export interface Rig {
  readonly upstream: RawUpstream;
  readonly sidecar: TestSidecar;
  readonly time: ManualTime;
  /** Sends a chat request on a connection of its own. */
  chat(body: string, headers?: readonly string[]): Promise<RawClient>;
  /** Sends any POST on a connection of its own. */
  post(target: string, body: string, headers?: readonly string[]): Promise<RawClient>;
}

/** The upstream answers every question with "Hello." until it is told otherwise. */
export async function startRig(
  settings: Pick<Settings, 'policy' | 'limits' | 'workload' | 'machine'> = {},
): Promise<Rig> {
  const time = createManualTime();
  const upstream = await startRawUpstream((_request, answer) =>
    answer.send(wholeAnswer('200 OK', ['Content-Type: application/json'], chatText('Hello.'))),
  );
  const { url } = upstream;
  const sidecar = await startTestSidecar({
    ...settings,
    upstreams: {
      openai: { url, protocol: 'openai', mount: '/' },
      anthropic: { url, protocol: 'anthropic', mount: '/anthropic' },
    },
    machine: { ...settings.machine, clock: time.clock, schedule: time.schedule },
  });
  const post: Rig['post'] = async (target, body, headers = []) => {
    const client = await connectRaw(sidecar.proxyUrl);
    client.send(rawRequest('POST', target, headers, body));
    return client;
  };
  return {
    upstream,
    sidecar,
    time,
    post,
    chat: (body, headers) => post('/v1/chat/completions', body, headers),
  };
}

/** The decision that an answer names. */
export function decisionIdOf(head: string): string {
  const id = /\r\nholdpoint-decision: (\S+)/i.exec(head)?.[1];
  if (id === undefined) throw new Error(`The answer names no decision: ${head}`);
  return id;
}
