/** The lives of the sidecar, one after the other on the same disk: how each begins, and how it ends. */
import { HoldpointError } from '../../../src/core/errors.ts';
import { whoHangs } from './answered.ts';
import type { Caller } from './caller.ts';
import { type Process, startProcess } from './process.ts';
import type { Provider } from './provider.ts';
import type { Reviewers } from './reviewers.ts';
import type { Stage } from './stage.ts';
import type { Surroundings } from './surroundings.ts';

export interface Lives {
  now(): Process;
  /** Whatever is held and was not noted yet. */
  noteHolds(): void;
  stop(): Promise<void>;
  kill(): void;
  begin(): Promise<void>;
}

export interface LivesOptions {
  readonly around: Surroundings;
  readonly callers: readonly Caller[];
  readonly provider: Provider;
  reviewers(): Reviewers;
  /** Every hold that was opened, in order; it is added to here. */
  readonly holds: number[];
  readonly stage: Stage;
}

export async function createLives(options: LivesOptions): Promise<Lives> {
  const { around, callers, provider, reviewers, holds, stage } = options;
  const { house, rules, onError } = around;
  let now = await boot();

  async function boot(): Promise<Process> {
    // No sidecar starts on rules that do not load: somebody mends them first.
    if (rules.name() === 'broken') rules.write(rules.lastLoaded());
    const process = await startProcess(around);
    note(process);
    process.queue.subscribe(({ kind, hold }) => {
      if (kind === 'opened') holds.push(hold.seq);
    });
    return process;
  }

  /** A process that died, or whose disk failed, may have sealed one and told nobody. */
  function note({ queue }: Process): void {
    const listed = queue.list().map(({ seq }) => seq);
    holds.push(...listed.filter((seq) => !holds.includes(seq)));
  }

  /** As the sidecar does it: whoever waits is told to come again, and what runs has its time. */
  async function stop(): Promise<void> {
    now.policyFile.close();
    now.queue.stop();
    now.delegations.stop();
    stage.reads.open();
    await stage.letCommits();
    await stage.letAnswers();
    await stage.endStalling();
    const hanging = whoHangs(callers, reviewers());
    if (hanging !== '') throw new Error(`it stops, and ${hanging}`);
    await now.proxy.drain(0);
    await closeLedger();
    now.dead = true;
  }

  /** A disk that fails takes no `stop` either; then the next start finds what a kill leaves. */
  async function closeLedger(): Promise<void> {
    try {
      await now.ledger.close('stop');
    } catch (error) {
      if (!(error instanceof HoldpointError && error.code === 'ledger_unavailable')) throw error;
    }
  }

  function kill(): void {
    now.dead = true;
    now.policyFile.close();
    for (const caller of callers) caller.leave('is cut');
    reviewers().cutOff();
    house.disk.abandon();
    house.indexDisk.abandon();
    stage.commits.open();
    stage.reads.open();
    provider.letAnswers();
    // Its port alone: nothing in it moves any more.
    now.proxy.drain(0).catch(onError);
  }

  return {
    now: () => now,
    noteHolds: () => note(now),
    stop,
    kill,
    begin: async () => {
      now = await boot();
    },
  };
}
