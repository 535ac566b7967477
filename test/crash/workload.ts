/** Callers that keep what they received, and a reviewer that releases what is held. */
import { z } from 'zod';
import type { House, SidecarProcess } from './sidecar-process.ts';

/** An answer that arrived in full: its last byte came, and the connection said so. */
export interface Received {
  readonly decision: string;
  readonly status: number;
  readonly body: Buffer;
}

export type CallKind = 'plain' | 'stream' | 'held' | 'held stream';

/** What one call sends; the same body again is the same call to a held one's retry. */
export function bodyOf(kind: CallKind, nonce: string): string {
  const held = kind.startsWith('held');
  const content = held ? `Transfer 25000 EUR, case ${nonce}` : `What is ${nonce}?`;
  const tool = {
    type: 'function',
    function: { name: 'transfer_funds', parameters: { properties: { amount: { type: 'number' } } } },
  };
  return JSON.stringify({
    model: 'demo-model',
    messages: [{ role: 'user', content }],
    stream: kind.endsWith('stream'),
    ...(held ? { tools: [tool] } : {}),
  });
}

/** Makes one call; null when the connection broke before the answer was whole. */
export async function call(proxyUrl: string, body: string, retry = 0): Promise<Received | null> {
  try {
    const response = await fetch(`${proxyUrl}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-stainless-retry-count': String(retry) },
      body,
    });
    const bytes = Buffer.from(await response.arrayBuffer());
    return {
      decision: response.headers.get('holdpoint-decision') ?? '',
      status: response.status,
      body: bytes,
    };
  } catch {
    // The process died: whatever came is not whole.
    return null;
  }
}

const holds = z.object({ items: z.array(z.object({ id: z.string(), digest: z.string() })) });

/** Releases every pending hold it finds, until told to stop or the sidecar is gone; resolves with how many. */
export async function releaseHolds(
  house: House,
  sidecar: SidecarProcess,
  isOver: () => boolean,
): Promise<number> {
  const headers = { authorization: `Bearer ${house.token}`, 'content-type': 'application/json' };
  let released = 0;
  try {
    while (!isOver()) {
      const response = await fetch(`${sidecar.controlUrl}/api/v1/holds?state=pending`, { headers });
      for (const { id, digest } of holds.parse(await response.json()).items) {
        const ruling = await fetch(`${sidecar.controlUrl}/api/v1/holds/${id}/rulings`, {
          method: 'POST',
          headers,
          body: JSON.stringify({ verdict: 'release', reason: 'Checked with finance.', digest }),
        });
        await ruling.arrayBuffer();
        if (ruling.status === 201) released += 1;
      }
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    // fetch failed: the sidecar was killed meanwhile.
  }
  return released;
}
