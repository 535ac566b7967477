/** The engine on the other side of a worker's port: questions are numbered, answers carry the number. */
import { createEngine, type DecisionPage, type Engine, type Progress, type Verified } from './engine.ts';
import type { Given } from './given.ts';
import type { PartContent, Story, StoryPlace } from './stories.ts';
import type { Shown } from './story-index.ts';

type Question =
  | { readonly ask: 'verify'; readonly files: readonly File[]; readonly given: Given }
  | { readonly ask: 'cancel' }
  | { readonly ask: 'decisions'; readonly shown: Shown; readonly from: number; readonly count: number }
  | { readonly ask: 'story'; readonly seq: number }
  | { readonly ask: 'part'; readonly place: StoryPlace };

type Numbered = Question & { readonly id: number };

type Message =
  | { readonly kind: 'answer'; readonly id: number; readonly value: unknown }
  | { readonly kind: 'failure'; readonly id: number; readonly message: string }
  | { readonly kind: 'progress'; readonly progress: Progress };

/** What a worker's global scope and a Worker have in common. */
interface Port {
  postMessage(message: unknown): void;
  onmessage: ((event: MessageEvent) => void) | null;
}

/** Answers questions that come through the port, for as long as it is there. */
export function serveEngine(port: Port, nowMs: () => number): void {
  const engine = createEngine(nowMs);
  const send = (message: Message): void => port.postMessage(message);
  const onProgress = (progress: Progress): void => send({ kind: 'progress', progress });
  const answer = (question: Question): Promise<unknown> => {
    switch (question.ask) {
      case 'verify':
        return engine.verify(question.files, question.given, onProgress);
      case 'decisions':
        return engine.decisions(question.shown, question.from, question.count);
      case 'story':
        return engine.story(question.seq);
      case 'part':
        return engine.part(question.place);
      default:
        engine.cancel();
        return Promise.resolve(null);
    }
  };
  port.onmessage = (event) => {
    const question: Numbered = event.data;
    const { id } = question;
    answer(question).then(
      (value) => send({ kind: 'answer', id, value }),
      (error: unknown) =>
        send({ kind: 'failure', id, message: error instanceof Error ? error.message : String(error) }),
    );
  };
}

/** An engine whose work is done behind `port`. */
export function engineBehind(port: Port): Engine {
  const waiting = new Map<number, PromiseWithResolvers<unknown>>();
  let onProgress: (progress: Progress) => void = () => undefined;
  let asked = 0;
  port.onmessage = (event) => {
    const message: Message = event.data;
    if (message.kind === 'progress') {
      onProgress(message.progress);
      return;
    }
    const waiter = waiting.get(message.id);
    waiting.delete(message.id);
    if (message.kind === 'answer') waiter?.resolve(message.value);
    else waiter?.reject(new Error(message.message));
  };
  const ask = (question: Question): Promise<unknown> => {
    asked += 1;
    const waiter = Promise.withResolvers<unknown>();
    waiting.set(asked, waiter);
    port.postMessage({ ...question, id: asked });
    return waiter.promise;
  };
  // Both ends are this file's, bundled as one script: what comes back is what `serveEngine` sent.
  return {
    verify: async (files, given, report) => {
      onProgress = report;
      return (await ask({ ask: 'verify', files, given })) as Verified | null;
    },
    cancel: () => {
      void ask({ ask: 'cancel' });
    },
    decisions: async (shown, from, count) =>
      (await ask({ ask: 'decisions', shown, from, count })) as DecisionPage,
    story: async (seq) => (await ask({ ask: 'story', seq })) as Story | null,
    part: async (place) => (await ask({ ask: 'part', place })) as PartContent,
  };
}
