/** The verifier's page when answers of its engine come after the reader has turned elsewhere. */
import { expect, it } from 'vitest';
import { createDesk, type Desk } from '../../../src/verifier-page/desk.ts';
import { createEngine, type Engine } from '../../../src/verifier-page/engine.ts';
import { buildStories } from '../../browser/verifier-stage.ts';
import { streamOf } from '../../second-opinion/ledgers.ts';
import { createLedgerBuilder } from '../../support/ledger-builder.ts';

const fileOf = (builder: ReturnType<typeof createLedgerBuilder>, name: string): File =>
  new File([new Uint8Array(streamOf(builder.records))], name);
const ledger = fileOf(buildStories(), 'ledger.hpj');
/** Decisions of that ledger, by their requests. */
const [held, odd] = [2, 7];

function emptyLedger(): File {
  const builder = createLedgerBuilder({ seed: 'empty' });
  builder.genesis();
  builder.commit();
  return fileOf(builder, 'empty.hpj');
}

interface Delayed {
  /** Resolves once the engine has answered. */
  readonly answered: Promise<void>;
  /** Resolves once the desk has heard the answer. */
  letThrough(): Promise<void>;
}

interface Scene {
  readonly desk: Desk;
  /** The answer to the next question waits until it is let through. */
  delay(): Delayed;
}

/** The engine itself, whose answers wait where the test wants them to. */
function setScene(): Scene {
  const engine = createEngine(() => performance.now());
  const gates: { readonly opened: Promise<void>; answered(): void }[] = [];
  async function late<T>(answer: Promise<T>): Promise<T> {
    const gate = gates.shift();
    if (gate === undefined) return answer;
    const value = await answer;
    gate.answered();
    await gate.opened;
    return value;
  }
  const behind: Engine = {
    verify: (files, given, onProgress) => late(engine.verify(files, given, onProgress)),
    cancel: engine.cancel,
    decisions: (shown, from, count) => late(engine.decisions(shown, from, count)),
    story: (seq) => late(engine.story(seq)),
    part: (place) => late(engine.part(place)),
  };
  return {
    desk: createDesk(behind),
    delay: () => {
      const [opened, answered] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
      gates.push({ opened: opened.promise, answered: answered.resolve });
      return {
        answered: answered.promise,
        letThrough: async () => {
          await answered.promise;
          opened.resolve();
          // Everything that follows from it has happened.
          await new Promise((heard) => setImmediate(heard));
        },
      };
    },
  };
}

async function verified(): Promise<Scene> {
  const scene = setScene();
  await scene.desk.take([ledger]);
  expect(scene.desk.state()).toMatchObject({ verified: { verdict: { ok: true } }, page: { total: 4 } });
  return scene;
}

it('shows the decisions that were asked for last, whichever answer comes last', async () => {
  const { desk, delay } = await verified();
  const { letThrough } = delay();
  const first = desk.show('denied', 0);
  await desk.show('held', 0);
  await letThrough();
  await first;
  expect([desk.state().shown, desk.state().page?.lines.map(({ seq }) => seq)]).toEqual(['held', [held]]);
});

it('opens the decision that was asked for last', async () => {
  const { desk, delay } = await verified();
  const { letThrough } = delay();
  const first = desk.open(held);
  await desk.open(odd);
  await letThrough();
  await first;
  expect(desk.state().story?.line.seq).toBe(odd);
});

it('opens no decision that was closed before it could be read', async () => {
  const { desk, delay } = await verified();
  const { letThrough } = delay();
  const first = desk.open(held);
  desk.close();
  await letThrough();
  await first;
  expect(desk.state().story).toBeNull();
});

it('tells no story of the ledger before under the verdict on another', async () => {
  const { desk, delay } = await verified();
  const { letThrough } = delay();
  const first = desk.open(held);
  await desk.take([emptyLedger()]);
  await letThrough();
  await first;
  expect(desk.state()).toMatchObject({ story: null, page: { total: 0 } });
});

it('gives no verdict on the ledger before as that on another', async () => {
  const { desk, delay } = setScene();
  const [first, next] = [delay(), delay()];
  const taken = [desk.take([ledger])];
  await first.answered;
  taken.push(desk.take([emptyLedger()]));
  await next.answered;
  await first.letThrough();
  expect(desk.state()).toMatchObject({ ledger: [{ name: 'empty.hpj' }], verified: null });
  expect(desk.state().progress).not.toBeNull();
  await next.letThrough();
  await Promise.all(taken);
  expect(desk.state()).toMatchObject({ page: { total: 0 }, progress: null });
});

it('takes two ledgers handed in together for no ledger that was altered, and keeps the keys beside them', async () => {
  const { desk } = await verified();
  const other = new File([ledger], 'other.hpj');
  const key = new File([createLedgerBuilder({ seed: 'empty' }).verifierKey], 'ledger.vkey');
  await desk.take([ledger, other, key]);
  const { refused, given, verified: before } = desk.state();
  expect(refused).toHaveLength(2);
  expect(refused.join(' ')).toMatch(
    /^ledger\.hpj: the beginning .*other\.hpj: the beginning .*one ledger at a time\.$/s,
  );
  expect(given.trustedKeys).toContain('+');
  expect(before?.verdict.ok).toBe(true);
});

it('takes a segment in which nothing is sealed yet for no other ledger', async () => {
  const { desk } = setScene();
  const header = Buffer.concat([Buffer.from('HPJ1'), Buffer.alloc(12)]);
  for (const room of [0, 15, 4096]) {
    await desk.take([new File([ledger], 'a-1.hpj'), new File([header, Buffer.alloc(room)], 'a-2.hpj')]);
    expect(desk.state(), `${room}`).toMatchObject({ refused: [], verified: { verdict: { ok: true } } });
  }
});

it('says of what cannot be read, as a folder that is dropped, that it cannot, and takes the rest', async () => {
  const { desk } = setScene();
  const folder = new File(['x'], 'exports');
  const gone = () =>
    Promise.reject(new DOMException('A requested file could not be found.', 'NotFoundError'));
  folder.slice = () => Object.assign(new Blob(), { arrayBuffer: gone });
  await desk.take([folder, ledger]);
  expect(desk.state().refused).toHaveLength(1);
  expect(desk.state().refused[0]).toMatch(/^exports: it cannot be read\./);
  expect(desk.state().verified?.verdict.ok).toBe(true);
});

it('shows what was handed in last, also where that is told apart sooner', async () => {
  const { desk } = setScene();
  const slow = new File([ledger], 'slow.hpj');
  const { promise, resolve } = Promise.withResolvers<ArrayBuffer>();
  const slice = slow.slice.bind(slow);
  slow.slice = (from, to) =>
    from === 0 && to === 4096 ? Object.assign(new Blob(), { arrayBuffer: () => promise }) : slice(from, to);
  const first = desk.take([slow]);
  const last = desk.take([emptyLedger()]);
  resolve(await ledger.slice(0, 4096).arrayBuffer());
  await Promise.all([first, last]);
  expect(desk.state().ledger.map(({ name }) => name)).toEqual(['empty.hpj']);
  expect(desk.state().page).toMatchObject({ total: 0 });
});
