/** A provider that keeps every question it was asked, says another thing each time, and can be slow to finish. */
import { HoldpointError } from '../../../src/core/errors.ts';
import { type AnswerBody, createAnswerBody } from '../../../src/proxy/answer-body.ts';
import type { Forwarder } from '../../../src/proxy/forward.ts';
import { answerOf, answerType, callOf } from './rules.ts';

export interface Asked {
  readonly call: number;
  readonly question: string;
  /** The body it was answered with, or would have been. */
  readonly answer: string;
}

export interface Provider {
  readonly asked: readonly Asked[];
  /** What a sidecar sends with; nothing goes out of one that is dead. */
  forwarder(isDead: () => boolean): Forwarder;
  /** From now on half of an answer comes, and the other when it is let. */
  holdAnswers(): void;
  letAnswers(): void;
}

/** `onAsked` runs in the moment in which a question goes out. */
export function createProvider(onAsked: (asked: Asked) => void): Provider {
  const asked: Asked[] = [];
  const halves = new Set<() => void>();
  let isSlow = false;

  function answer({ answer: text }: Asked, body: AnswerBody): void {
    const half = Math.floor(text.length / 2);
    body.push(Buffer.from(text.slice(0, half)));
    const finish = (): void => {
      body.push(Buffer.from(text.slice(half)));
      body.end(null);
    };
    if (isSlow) halves.add(finish);
    else finish();
  }

  return {
    asked,
    forwarder: (isDead) => ({
      send: async (request, onAbort) => {
        if (isDead()) return new Promise(() => undefined);
        const question = request.body.head.toString();
        const { model, stream } = JSON.parse(question);
        const kind = { streams: stream === true };
        const one = { call: callOf(model), question, answer: answerOf(kind, `Answer ${asked.length}.`) };
        asked.push(one);
        onAsked(one);
        const body = createAnswerBody();
        answer(one, body);
        const abort = (reason: string): void => body.end(new HoldpointError('upstream_truncated', reason));
        onAbort(abort);
        const head = { status: 200, statusText: 'OK', headers: ['content-type', answerType(kind)] };
        const { chunks, peek, readAll } = body;
        return { ...head, resent: false, chunks, peek, readAll, trailers: () => [], abort };
      },
      close: async () => undefined,
    }),
    holdAnswers: () => {
      isSlow = true;
    },
    letAnswers: () => {
      isSlow = false;
      for (const finish of halves) finish();
      halves.clear();
    },
  };
}
