/** A session as one conversation: its decisions in order, and what each of them added to what was said before. */
import { type ComponentChild, h } from 'preact';
import { useState } from 'preact/hooks';
import { type Decision, type DecisionPage, readDecisionPage } from '../answers/decision-data.ts';
import { type Exchange, type Message, readExchange } from '../answers/exchange-data.ts';
import { may } from '../answers/hold-data.ts';
import type { Desk } from '../desk/desk.ts';
import { isOutage, messageOf } from '../desk/desk-state.ts';
import { PageFrame, Problem, useAfterOutage, useFetched } from '../desk/fetched.ts';
import { useLeaving } from '../desk/leaving.ts';
import { decisionAddress } from '../desk/place.ts';
import { lastTurn, MessageList } from '../drawn/conversation.ts';
import { Damage } from '../drawn/damage.ts';
import { OutcomeMark, VerdictMark } from '../drawn/outcome.ts';
import { Recorded } from '../drawn/recorded.ts';
import { exactText } from '../words/time.ts';

const decisionsMax = 200;
/** Each reading is a call and a sealed access; more are read when somebody asks again. */
const readAtOnce = 20;
/** The status under which one entry that is damaged is told. */
const damaged = 500;

type Readings = ReadonlyMap<string, Exchange | string>;

export function SessionPage(props: { readonly desk: Desk; readonly id: string }): ComponentChild {
  const { desk, id } = props;
  const path = `/api/v1/decisions?session=${encodeURIComponent(id)}&limit=${decisionsMax}`;
  const fetched = useFetched(desk, path, readDecisionPage);
  return h(
    PageFrame,
    {
      title: ['Session ', h(Recorded, { text: id })],
      label: id,
      lead: h('a', { href: '#/decisions' }, '‹ All decisions'),
    },
    [
      h(Problem, { of: fetched }),
      fetched.value === null ? null : h(Turns, { key: id, desk, page: fetched.value }),
    ],
  );
}

function Turns(props: { readonly desk: Desk; readonly page: DecisionPage }): ComponentChild {
  const { desk, page } = props;
  const turns = [...page.items].reverse();
  const [readings, setReadings] = useState<Readings>(new Map());
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState('');
  const begin = useLeaving();
  const unread = turns.filter(({ id }) => !readings.has(id));
  async function readSome(): Promise<void> {
    const signal = begin();
    isAsked();
    setBusy(true);
    setProblem('');
    const next = new Map(readings);
    try {
      for (const { id } of unread.slice(0, readAtOnce)) next.set(id, await exchangeOf(desk, id, signal));
    } catch (error) {
      if (signal.aborted) return;
      setProblem(messageOf(error));
    }
    setReadings(next);
    setBusy(false);
  }
  const isAsked = useAfterOutage(desk, problem !== '', () => void readSome());
  const added = additions(turns, readings);
  return h('div', { class: 'sections' }, [
    page.next === null
      ? null
      : h('p', { class: 'note' }, `Only the latest ${turns.length} decisions are shown.`),
    h(Damage, { told: page.unreadable, missing: 'What they belong to is missing from this conversation.' }),
    turns.length > 0
      ? null
      : h(
          'p',
          { class: 'quiet' },
          page.unreadable.length === 0
            ? 'Nothing recorded belongs to this session.'
            : 'Nothing that can be read belongs to this session.',
        ),
    unread.length === 0 || !may(desk.get().identity, 'read_content')
      ? null
      : h('p', { class: 'ask' }, [
          h(
            'button',
            { type: 'button', class: 'button', disabled: busy, onClick: () => void readSome() },
            unread.length === turns.length ? 'Read the conversation' : `Read ${unread.length} more`,
          ),
          h('span', { class: 'quiet' }, ' That you read it is sealed under your name.'),
        ]),
    problem === '' ? null : h('p', { class: 'problem', role: 'alert' }, problem),
    h(
      'ol',
      { class: 'turns' },
      turns.map((turn, i) =>
        h('li', { key: turn.id, class: 'turn' }, [
          h(TurnHead, { turn }),
          h(TurnBody, { reading: readings.get(turn.id), messages: added[i] ?? [] }),
        ]),
      ),
    ),
  ]);
}

/** Rejects where the page was left, or an outage keeps it and all others from being read. */
async function exchangeOf(desk: Desk, id: string, signal: AbortSignal): Promise<Exchange | string> {
  try {
    return readExchange(await desk.fetch(`/api/v1/decisions/${encodeURIComponent(id)}/exchange`, signal));
  } catch (error) {
    if (signal.aborted || (isOutage(error) && error.status !== damaged)) throw error;
    // One that was erased or is damaged says so in its place; the others are still read.
    return messageOf(error);
  }
}

function TurnHead({ turn }: { readonly turn: Decision }): ComponentChild {
  return h('div', { class: 'turn-head' }, [
    h('a', { href: decisionAddress(turn.id), class: 'num' }, exactText(turn.atMs)),
    h('span', { class: 'quiet' }, h(Recorded, { text: `${turn.workload || 'unnamed'} · ${turn.model}` })),
    turn.verdict === 'pass' ? null : h(VerdictMark, { verdict: turn.verdict }),
    h(OutcomeMark, { outcome: turn.outcome }),
  ]);
}

function TurnBody(props: {
  readonly reading: Exchange | string | undefined;
  readonly messages: readonly Message[];
}): ComponentChild {
  const { reading, messages } = props;
  if (reading === undefined) return null;
  if (typeof reading === 'string') return h('p', { class: 'problem' }, reading);
  return messages.length === 0
    ? h('p', { class: 'quiet' }, 'No messages could be read.')
    : h(MessageList, { messages });
}

/** What each turn said that the one before had not: workloads send the whole conversation again each time. */
export function additions(
  turns: readonly Pick<Decision, 'id'>[],
  readings: Readings,
): readonly (readonly Message[])[] {
  let said: readonly Message[] = [];
  return turns.map(({ id }) => {
    const reading = readings.get(id);
    if (reading === undefined || typeof reading === 'string') return [];
    const { messages } = reading.request;
    let common = 0;
    while (common < messages.length && isSame(messages[common], said[common])) common += 1;
    const { request, response, amendedRequest, amendedResponse } = reading;
    said = [...messages, ...answerOf(amendedResponse ?? response)];
    return [
      ...request.messages.slice(common),
      ...asAmended(amendedRequest === null ? [] : lastTurn(amendedRequest.messages)),
      ...answerOf(response),
      ...asAmended(answerOf(amendedResponse)),
    ];
  });
}

function answerOf(response: Exchange['response']): readonly Message[] {
  if (response === null) return [];
  return [{ role: 'assistant', text: response.text || response.refusal, toolCalls: response.toolCalls }];
}

/** A reviewer's words in the place of those before. */
function asAmended(messages: readonly Message[]): readonly Message[] {
  return messages.map((message) => ({ ...message, role: `${message.role}, amended` }));
}

/** What a workload sends back as the model's words is the same turn, however ids and spaces of it changed. */
function isSame(a: Message | undefined, b: Message | undefined): boolean {
  if (a === undefined || b === undefined) return false;
  return (
    a.role === b.role &&
    a.text === b.text &&
    a.toolCalls.map(callText).join() === b.toolCalls.map(callText).join()
  );
}

function callText({ name, argumentsText }: Message['toolCalls'][number]): string {
  return `${name}\0${argumentsText}`;
}
