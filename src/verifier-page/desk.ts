/** The page's state, and everything that can be done to it. Owns which verification is shown. */
import { type ProofVerdict, verifyTlogProof } from '../ledger/verify/tlog-proof.ts';
import type { DecisionPage, Engine, Progress, Verified } from './engine.ts';
import { type Given, kindOf, linesOf, nothingGiven, sortFiles } from './given.ts';
import type { PartContent, Story } from './stories.ts';
import type { Shown } from './story-index.ts';

export const pageLines = 50;

export interface DeskState {
  readonly given: Given;
  readonly ledger: readonly File[];
  readonly proof: string;
  readonly refused: readonly string[];
  readonly progress: Progress | null;
  readonly verified: Verified | null;
  readonly proofVerdict: ProofVerdict | null;
  /** What was given when the verdict was made. */
  readonly verifiedWith: Given | null;
  readonly shown: Shown;
  readonly from: number;
  readonly page: DecisionPage | null;
  readonly story: Story | null;
  /** By `<entry>/<part>`. */
  readonly parts: ReadonlyMap<string, PartContent>;
  readonly problem: string;
}

export interface Desk {
  state(): DeskState;
  subscribe(listener: () => void): () => void;
  take(files: readonly File[]): Promise<void>;
  give(given: Partial<Given>): void;
  verify(): Promise<void>;
  cancel(): void;
  show(shown: Shown, from: number): Promise<void>;
  open(seq: number): Promise<void>;
  /** Opens the decision that a person typed: `d-1a2b3c4d-41` or `41`. */
  find(text: string): Promise<void>;
  close(): void;
  readPart(entry: number, part: number): Promise<void>;
}

const empty: DeskState = {
  given: nothingGiven,
  ledger: [],
  proof: '',
  refused: [],
  progress: null,
  verified: null,
  proofVerdict: null,
  verifiedWith: null,
  shown: 'all',
  from: 0,
  page: null,
  story: null,
  parts: new Map(),
  problem: '',
};

export function createDesk(engine: Engine): Desk {
  let state = empty;
  const listeners = new Set<() => void>();
  /** What was asked for last of each: an answer to anything before it, or of the ledger before, is nobody's any more. */
  const wanted = { verdict: 0, page: 0, story: 0 };
  /** What is handed in is told apart in the order in which it was. */
  let sorted: Promise<unknown> = Promise.resolve();
  const set = (change: Partial<DeskState>): void => {
    state = { ...state, ...change };
    for (const listener of listeners) listener();
  };
  /** What the engine could not do is said on the page. */
  const guarded = async (work: () => Promise<void>): Promise<void> => {
    try {
      await work();
    } catch (error) {
      set({ problem: error instanceof Error ? error.message : String(error), progress: null });
    }
  };

  async function verify(): Promise<void> {
    wanted.verdict += 1;
    wanted.page += 1;
    wanted.story += 1;
    const mine = wanted.verdict;
    const { ledger, given, proof } = state;
    const fresh = { verified: null, page: null, story: null, parts: new Map(), problem: '' };
    set({ ...fresh, proofVerdict: null, shown: 'all', from: 0, verifiedWith: given });
    if (proof !== '')
      set({ proofVerdict: verifyTlogProof(proof, { trustedKeys: linesOf(given.trustedKeys) }) });
    if (ledger.length === 0) return;
    const bytesTotal = ledger.reduce((sum, file) => sum + file.size, 0);
    set({ progress: { bytes: 0, bytesTotal, entries: 0, elapsedMs: 0 } });
    await guarded(async () => {
      const verified = await engine.verify(ledger, given, (progress) => {
        if (state.progress !== null && mine === wanted.verdict) set({ progress });
      });
      if (verified === null || mine !== wanted.verdict) return;
      set({ verified, progress: null });
      await show('all', 0);
    });
  }

  async function show(shown: Shown, from: number): Promise<void> {
    wanted.page += 1;
    const mine = wanted.page;
    await guarded(async () => {
      const page = await engine.decisions(shown, from, pageLines);
      if (mine === wanted.page) set({ shown, from, page });
    });
  }

  async function open(seq: number): Promise<void> {
    wanted.story += 1;
    const mine = wanted.story;
    await guarded(async () => {
      const story = await engine.story(seq);
      if (mine !== wanted.story) return;
      const problem = story === null ? `No decision ${seq} is in this ledger.` : '';
      set({ story, parts: new Map(), problem });
    });
  }

  return {
    state: () => state,
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async take(files) {
      const mine = sorted.then(() => sortFiles(files));
      sorted = mine.catch(() => undefined);
      const handed = await mine;
      const given = { ...state.given, ...handed.given };
      const isNew = handed.ledger.length > 0 || handed.proof !== '';
      set({ given, refused: handed.refused });
      if (!isNew) return;
      if (state.progress !== null) engine.cancel();
      set({ ledger: handed.ledger, proof: handed.proof });
      await verify();
    },
    give: (given) => set({ given: { ...state.given, ...given } }),
    verify,
    cancel() {
      wanted.verdict += 1;
      engine.cancel();
      set({ progress: null, verifiedWith: null });
    },
    show,
    open,
    async find(text) {
      const digits = /^(?:d-[0-9a-f]{8}-)?([0-9]{1,15})$/.exec(text.trim())?.[1];
      if (digits === undefined) set({ problem: 'A decision is named d-1a2b3c4d-41, or by its number.' });
      else await open(Number(digits));
    },
    close: () => {
      wanted.story += 1;
      set({ story: null, parts: new Map() });
    },
    async readPart(entry, part) {
      const { story } = state;
      if (story === null) return;
      await guarded(async () => {
        const content = await engine.part({ decision: story.line.seq, entry, part });
        if (state.story === story) set({ parts: new Map([...state.parts, [`${entry}/${part}`, content]]) });
      });
    },
  };
}

/** '' when the text is what the field asks for, else what it is not. */
export function problemOf(field: keyof Given, text: string): string {
  if (text.trim() === '' || kindOf(text) === field) return '';
  return {
    trustedKeys: 'A verifier key looks like <origin>+<8 hex>+<base64>, one on each line.',
    checkpoint: 'A checkpoint is a note of three lines, a blank one and a signature.',
    highWater: 'The high-water file is one line.',
    kek: 'A key-encryption key is 32 bytes in base64, as kek.key has them; several stand one behind the other.',
  }[field];
}
