/** Workloads: each asks its case again and again, as SDKs do, until it has an answer that is one. */
import { type Case, caseOf, kinds } from './cases.ts';
import type { Morning } from './morning.ts';

/** An answer that arrived in full. */
export interface Received {
  readonly asked: Case;
  readonly status: number;
  readonly decision: string;
  readonly body: Buffer;
}

/** Far more than a day's kills: whoever is sent away so often is sent away for ever. */
const retriesMax = 200;
/** How many data subjects the cases are about. */
export const subjects = 12;
/** A caller that gives up does so within this time. */
const patienceMsMax = 40;
/** The share of callers that do not wait for their answer. */
const impatient = 0.08;

/** Works through `count` cases, numbered from `first`; what nobody answered is left out. */
export async function callAll(
  day: Morning,
  first: number,
  count: number,
  received: Received[],
): Promise<void> {
  for (let number = first; number < first + count; number += 1) {
    const kind = kinds[Math.floor(day.random() * kinds.length)] ?? 'plain';
    const asked = caseOf(number, kind, `subject-${Math.floor(day.random() * subjects)}`);
    const answer = day.random() < impatient ? await giveUp(day, asked) : await askUntilAnswered(day, asked);
    if (answer === null) continue;
    received.push(answer);
    day.answered();
  }
}

/** SDKs ask again when the connection breaks and when they are told to come back later. */
async function askUntilAnswered(day: Morning, asked: Case): Promise<Received> {
  for (let retry = 0; retry <= retriesMax; retry += 1) {
    const { proxyUrl } = await day.sidecar();
    const answer = await ask(proxyUrl, asked, retry, null);
    if (answer !== null) return answer;
  }
  throw new Error(`case ${asked.number} (${asked.kind}) was never answered`);
}

async function giveUp(day: Morning, asked: Case): Promise<Received | null> {
  const { proxyUrl } = await day.sidecar();
  return ask(proxyUrl, asked, 0, AbortSignal.timeout(Math.ceil(day.random() * patienceMsMax)));
}

/** Null when the answer did not come whole, or is that it is too early for one. */
async function ask(
  proxyUrl: string,
  asked: Case,
  retry: number,
  signal: AbortSignal | null,
): Promise<Received | null> {
  try {
    const response = await fetch(`${proxyUrl}/v1/chat/completions`, {
      method: 'POST',
      headers: {
        authorization: 'Bearer sk-workload',
        'content-type': 'application/json',
        'holdpoint-subject': asked.subject,
        'x-stainless-retry-count': String(retry),
      },
      body: asked.body,
      signal,
    });
    const body = Buffer.from(await response.arrayBuffer());
    if (response.status === 503) return null;
    return {
      asked,
      status: response.status,
      decision: response.headers.get('holdpoint-decision') ?? '',
      body,
    };
  } catch (error) {
    // The sidecar was killed, or the caller left: whatever came is not whole. Anything else is a mistake of the test's.
    if (error instanceof TypeError || signal?.aborted === true) return null;
    throw error;
  }
}
