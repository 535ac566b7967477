/** A hold in a few words, for the queue: read back from the ledger once, and kept within bounds. */
import { sha256Hex } from '../core/bytes.ts';
import { HoldpointError } from '../core/errors.ts';
import type { ToolCallFact } from '../core/facts.ts';
import type { Hold } from '../hold/record.ts';
import type { Entry } from '../ledger/entry.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { answerIn, type Exchange, readMessages, understood } from './exchange.ts';
import { entriesOf } from './hold-entries.ts';

const headlineCharactersMax = 200;
const summariesMax = 20_000;
const textsMax = 1_000;

export interface HoldSummary {
  readonly headline: string;
  /** See `contentDigestOf`. */
  readonly contentDigest: string;
  readonly provider: string;
  readonly operation: string;
  readonly model: string;
  readonly workload: string;
  readonly session: string;
  readonly stream: boolean;
}

/**
 * Summaries of holds, read once and kept, bounded. A hold whose sealed exchange is damaged is shown as such:
 * one that cannot be read must not hide the others from the people who rule.
 */
export function createSummaries(ledger: Ledger): (hold: Hold) => Promise<HoldSummary> {
  const known = new Map<number, HoldSummary>();
  const texts = new Map<string, string>();
  const shared = (text: string): string => {
    const first = texts.get(text);
    if (first !== undefined) return first;
    if (texts.size >= textsMax) texts.clear();
    texts.set(text, text);
    return text;
  };
  let knownSince = ledger.erasureAge();
  return async (hold) => {
    const begunAt = ledger.erasureAge();
    // What was erased must not go on being shown from memory.
    if (begunAt !== knownSince) {
      known.clear();
      texts.clear();
    }
    knownSince = begunAt;
    const kept = known.get(hold.seq);
    if (kept !== undefined) return kept;
    try {
      const summary = await readSummary(ledger, hold, shared);
      if (known.size >= summariesMax) known.clear();
      if (ledger.erasureAge() === begunAt) known.set(hold.seq, summary);
      return summary;
    } catch (error) {
      const isKnown =
        error instanceof HoldpointError && (error.code === 'erased' || error.code === 'ledger_damaged');
      if (!isKnown) throw error;
      const headline = cut(
        error.code === 'erased' ? error.message : `The sealed exchange cannot be read: ${error.message}`,
      );
      return {
        headline,
        contentDigest: '',
        provider: '',
        operation: '',
        model: '',
        workload: '',
        session: '',
        stream: false,
      };
    }
  };
}

/** `shared` gives one copy of what many holds have in common. */
async function readSummary(
  ledger: Ledger,
  hold: Hold,
  shared: (text: string) => string,
): Promise<HoldSummary> {
  // What is missing of it says nothing that stands in a line of the queue; the page of the hold tells of it.
  const all = await entriesOf(ledger, hold, () => undefined);
  const entries = hold.phase === 'request' ? all.slice(0, 1) : all;
  const sealed = await readMessages(ledger, entries);
  const exchange = understood(entries, sealed);
  const data = entries[0]?.data ?? {};
  // Of a decision with several answers, the one that is held is seldom another one than the last.
  const held = all.find(({ seq }) => seq === (hold.phase === 'request' ? hold.decision : hold.response));
  const isRead = hold.phase === 'request' || held === answerIn(entries);
  const bytes = hold.phase === 'request' ? sealed.request : sealed.response;
  return {
    headline: headlineOf(exchange),
    contentDigest:
      isRead && held !== undefined && bytes !== null
        ? contentDigestIn(held, bytes)
        : await contentDigestOf(ledger, hold),
    provider: shared(exchange.request.provider),
    operation: shared(exchange.request.operation),
    model: shared((exchange.amendedRequest ?? exchange.request).model),
    workload: shared(String(data['workload'] ?? '')),
    session: shared(String(data['session'] ?? '')),
    stream: exchange.request.stream,
  };
}

/**
 * SHA-256 of the held bytes as they were recorded, 64 hex: unlike the salted digest of a hold, the same wherever the
 * bytes are. '' where values of credentials were taken out, since then what is recorded is not all that is held.
 */
export async function contentDigestOf(ledger: Ledger, hold: Hold): Promise<string> {
  const seq = hold.phase === 'request' ? hold.decision : hold.response;
  if (seq === null) return '';
  return contentDigestIn(await ledger.entry(seq), await ledger.part(seq, hold.phase));
}

function contentDigestIn({ data }: Entry, bytes: Buffer): string {
  return data['removed'] === undefined ? sha256Hex(bytes) : '';
}

/** What would happen, in the workload's own words: the tool call, else the answer, else the last thing asked. */
function headlineOf({ request, response }: Exchange): string {
  const calls = response?.toolCalls ?? [];
  if (calls.length > 0) return cut(calls.map(callLine).join('; '));
  if (response !== null) return cut(response.text || response.refusal || `answer ${response.status}`);
  return cut(request.messages.at(-1)?.text || `${request.method} ${request.path}`);
}

function callLine(call: ToolCallFact): string {
  const args = call.arguments;
  const pairs = typeof args === 'object' && args !== null ? Object.entries(args) : [];
  return `${call.name} ${pairs.map(([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`).join(' ')}`.trim();
}

function cut(text: string): string {
  const line = text.replace(/\s+/g, ' ').trim();
  return line.length <= headlineCharactersMax ? line : `${line.slice(0, headlineCharactersMax - 1)}…`;
}
