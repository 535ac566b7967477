/**
 * `holdpoint holds`: the queue on a terminal, to read and to rule; a plain list where it is none. `holdpoint holds watch`
 * tells of each hold as it comes and goes. Owns the terminal's mode and gives it back however it ends.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { type ControlClient, clientOptions, controlClient } from './client.ts';
import { type Command, type Environment, type ExitCode, exitCodes } from './command.ts';
import { detailSchema, headlineOf, listSchema } from './hold-answers.ts';
import { printQueue } from './holds.ts';
import { readOptions } from './options.ts';
import { duration, outputIsGone, printJson, printLine, safeJson, visible } from './print.ts';
import { createQueueCalls } from './queue-calls.ts';
import { bracketPastes, createKeyReader, leavePastes } from './queue-keys.ts';
import { emptyQueue, type Listed, pressed, type QueueState, withItems } from './queue-state.ts';
import { rowsOf, scrolledWithin } from './queue-view.ts';
import { whetherRuled } from './ruling-about.ts';
import { paintFor } from './screen.ts';

const refreshMs = 1_000;
const pageSchema = listSchema.extend({ next: z.string().nullable() });
const pendingPath = '/api/v1/holds?state=pending&limit=500';
const holdPath = (id: string): string => `/api/v1/holds/${encodeURIComponent(id)}`;
/** The other screen, the cursor hidden, and no row that goes on in the next one; and back. */
const enterScreen = `\u001b[?1049h\u001b[?25l\u001b[?7l${bracketPastes}`;
const leaveScreen = `${leavePastes}\u001b[?7h\u001b[?25h\u001b[?1049l`;

export const queueCommands: readonly Command[] = [
  {
    name: 'holds',
    usage: '[--json]',
    summary: 'the queue on a terminal, to read and to rule; a plain list elsewhere',
    run: async (args, env) => {
      const options = readOptions(args, clientOptions, ['json']);
      const client = controlClient(options, env);
      const answer = await client.get(pendingPath);
      if (options.flag('json')) printJson(answer);
      else if (process.stdin.isTTY && process.stdout.isTTY)
        await runQueue(client, env, listSchema.parse(answer));
      else printQueue(listSchema.parse(answer), 'pending', client.nowMs());
      return exitCodes.ok;
    },
  },
  {
    name: 'holds watch',
    usage: '[--json]',
    summary: 'a line for each hold that comes and goes, until interrupted; with --json one object a line',
    run: async (args, env) => {
      const options = readOptions(args, clientOptions, ['json']);
      return watch(controlClient(options, env), options.flag('json'));
    },
  },
];

async function watch(client: ControlClient, asJson: boolean): Promise<ExitCode> {
  const stopped = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stopped.abort());
  let known = new Map<string, Listed>();
  while (!stopped.signal.aborted && !outputIsGone()) {
    const now = new Map((await allPending(client)).map((hold) => [hold.id, hold]));
    for (const [id, hold] of now) if (!known.has(id)) tell('held', hold, asJson, client.nowMs());
    for (const [id, hold] of known) if (!now.has(id)) tell('over', hold, asJson, client.nowMs());
    known = now;
    // Aborting the wait is how it ends.
    await sleep(refreshMs, undefined, { signal: stopped.signal }).catch(() => undefined);
  }
  return exitCodes.ok;
}

/** On every page: a hold that others moved to a later one is not over. */
async function allPending(client: ControlClient): Promise<readonly Listed[]> {
  const all: Listed[] = [];
  for (let after: string | null = ''; after !== null; ) {
    const page = pageSchema.parse(await client.get(pendingPath + after));
    all.push(...page.items);
    after = page.next === null ? null : `&after=${encodeURIComponent(page.next)}`;
  }
  return all;
}

function tell(what: 'held' | 'over', hold: Listed, asJson: boolean, nowMs: number): void {
  if (asJson) printLine(safeJson({ what, hold }));
  else {
    const left = what === 'held' ? `  ${duration(Date.parse(hold.expiresAt) - nowMs)} left` : '';
    printLine(visible(`${what}  ${hold.id}  [${hold.severity}]  ${headlineOf(hold)}${left}`));
  }
}

/**
 * Until the reader leaves. Rejects when the sidecar cannot be reached any more, and with the refusal of a ruling that was
 * under way when they left; the terminal is given back before.
 */
async function runQueue(
  client: ControlClient,
  env: Environment,
  first: ReturnType<typeof listSchema.parse>,
): Promise<void> {
  const { stdin, stdout } = process;
  const paint = paintFor(env, true);
  let state: QueueState = withItems(emptyQueue, first.items, first.total);
  const ended = Promise.withResolvers<void>();
  /** The screen is the shell's again: what a ruling under way comes to is said there, in lines. */
  let isOver = false;
  let lateFailure: unknown = null;
  const calls = createQueueCalls({
    ask: {
      list: async () => listSchema.parse(await client.get(pendingPath)),
      hold: async (id) => detailSchema.parse(await client.get(holdPath(id))),
      rule: async (id, ruling) => {
        await client.post(`${holdPath(id)}/rulings`, ruling, whetherRuled([id]));
      },
    },
    change: (next) => {
      state = next(state);
      draw();
    },
    onRuled: (said) => {
      if (isOver) printLine(visible(said));
    },
    onFailure: (error, what) => {
      if (isOver) lateFailure ??= what === 'rule' ? error : null;
      // A sidecar that is gone ends the command.
      else ended.reject(error);
    },
    isOver: () => isOver,
  });

  function draw(): void {
    if (isOver) return;
    // A terminal that does not say its size is one of 24 rows of 80 columns.
    const size = { rows: stdout.rows || 24, columns: stdout.columns || 80 };
    state = scrolledWithin(state, size);
    stdout.write(
      `\u001b[H${rowsOf(state, size, client.nowMs(), paint).join('\u001b[K\r\n')}\u001b[K\u001b[J`,
    );
  }

  const readKeys = createKeyReader();
  const onData = (chunk: string): void => {
    for (const key of readKeys(chunk)) {
      const step = pressed(state, key);
      state = step.state;
      if (step.effect?.kind === 'quit') ended.resolve();
      else if (step.effect !== null) calls.carryOut(step.effect);
    }
    draw();
  };
  const quit = (): void => ended.resolve();
  const timer = setInterval(calls.refresh, refreshMs);
  stdin.setRawMode(true).setEncoding('utf8').on('data', onData).on('end', quit);
  stdout.on('resize', draw);
  process.once('SIGTERM', quit);
  stdout.write(enterScreen);
  try {
    draw();
    await ended.promise;
  } finally {
    clearInterval(timer);
    stdin.off('data', onData).setRawMode(false).pause();
    stdout.off('resize', draw);
    process.off('SIGTERM', quit);
    isOver = true;
    stdout.write(leaveScreen);
  }
  // What was ruled last is sealed before the command ends, or it says that it was not.
  await calls.done();
  if (lateFailure !== null) throw lateFailure;
}
