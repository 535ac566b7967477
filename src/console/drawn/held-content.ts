/** What happens on release: the tool calls with every argument, the answer's text, or the request that goes out. */
import { type ComponentChild, type ComponentChildren, h } from 'preact';
import { shownAt } from '../answers/because-data.ts';
import type { Exchange, RequestContent, ResponseContent, ToolCall } from '../answers/exchange-data.ts';
import type { HoldSummary } from '../answers/hold-data.ts';
import { AnswerDifference } from './amended-difference.ts';
import { ArgumentsTable, argumentRowsMax } from './arguments.ts';
import { MatchedMark } from './because.ts';
import { LookalikeNote, Recorded } from './recorded.ts';

export function HeldContent(props: {
  readonly summary: HoldSummary;
  readonly exchange: Exchange;
  /** Places of the calls that a release would withhold as things stand. */
  readonly withheld: ReadonlySet<number>;
  /** Places in the exchange that a rule was true of. */
  readonly matched: ReadonlySet<string>;
}): ComponentChild {
  const { summary, exchange, withheld, matched } = props;
  const { request, response, amendedRequest, amendedResponse, defects } = exchange;
  return h('section', { class: 'what', 'aria-labelledby': 'what-title' }, [
    h('h2', { id: 'what-title' }, heldTitle(summary)),
    defects.length === 0
      ? null
      : h('div', { class: 'note' }, [
          h('strong', null, 'Not everything could be read. '),
          'What the workload gets may be more than what is shown here; see the raw messages.',
          h(
            'ul',
            null,
            defects.map((defect) => h('li', { key: defect }, h(Recorded, { text: defect }))),
          ),
        ]),
    summary.state === 'pending' ? h(Consequence, { summary, exchange }) : null,
    summary.phase === 'request' || response === null
      ? [
          h(RequestSummary, { request }),
          amendedRequest === null ? null : h(Instead, null, h(RequestSummary, { request: amendedRequest })),
        ]
      : [
          h(AnswerContent, { response, withheld, matched }),
          // Which calls are withheld is said beside them.
          amendedResponse === null || withheld.size > 0
            ? null
            : h(AnswerInstead, { held: response, instead: amendedResponse }),
        ],
  ]);
}

/** Of a hold that waits, what a release does; of one that is over, what it was about. */
export function heldTitle({ state }: Pick<HoldSummary, 'state'>): string {
  return state === 'pending' ? 'What happens if I release' : 'What was held';
}

/** The answer that a reviewer put in the place of the one that was held, and what that changes. */
export function AnswerInstead(props: {
  readonly held: ResponseContent;
  readonly instead: ResponseContent;
}): ComponentChild {
  return h(Instead, null, [h(AnswerDifference, props), h(AnswerContent, { response: props.instead })]);
}

function Instead({ children }: { readonly children: ComponentChildren }): ComponentChild {
  return h('section', { class: 'instead', 'aria-labelledby': 'instead-title' }, [
    h('h2', { id: 'instead-title' }, 'A reviewer put this in its place'),
    children,
  ]);
}

interface AnswerProps {
  readonly response: ResponseContent;
  readonly withheld?: ReadonlySet<number>;
  readonly matched?: ReadonlySet<string>;
}

const nowhere: ReadonlySet<string> = new Set();
/** Of each call, however many there are. */
const callRowsMin = 20;

function Consequence(props: { readonly summary: HoldSummary; readonly exchange: Exchange }): ComponentChild {
  const { summary, exchange } = props;
  const { request, response } = exchange;
  if (summary.phase === 'request' || response === null) {
    return h('p', { class: 'consequence' }, [
      'This request ',
      h('strong', null, `goes out to ${summary.provider}`),
      `: ${counted(request.messages.length, 'message')}, ${counted(request.tools.length, 'tool')} offered. The answer is judged again.`,
    ]);
  }
  const { toolCalls, status } = response;
  const calls = toolCalls.length === 1 ? 'this tool call' : `these ${toolCalls.length} tool calls`;
  return h('p', { class: 'consequence' }, [
    'The workload gets ',
    h(
      'strong',
      null,
      toolCalls.length > 0 ? calls : `this answer${status === 200 ? '' : ` (status ${status})`}`,
    ),
    toolCalls.length > 0 ? ` and will most likely carry ${toolCalls.length === 1 ? 'it' : 'them'} out.` : '.',
  ]);
}

/** The tool calls of an answer with every argument, and its text. */
export function AnswerContent({ response, withheld, matched = nowhere }: AnswerProps): ComponentChild {
  const { toolCalls, text, refusal } = response;
  const rowsMax = Math.max(callRowsMin, Math.floor(argumentRowsMax / toolCalls.length));
  return h('div', null, [
    toolCalls.map((call, i) => {
      const path = `/response/toolCalls/${i}`;
      return h(CallCard, {
        key: `${i}`,
        call,
        name: callName(i, toolCalls.length),
        isWithheld: withheld?.has(i) === true,
        matched,
        path,
        rowsMax,
      });
    }),
    text === ''
      ? null
      : h(TextCard, {
          title: toolCalls.length > 0 ? 'With this text' : 'Text',
          text,
          isMatched: matched.has('/response/text'),
        }),
    refusal === ''
      ? null
      : h(TextCard, {
          title: 'The model refused',
          text: refusal,
          isMatched: matched.has('/response/refusal'),
        }),
    toolCalls.length + text.length + refusal.length === 0
      ? h('p', { class: 'quiet' }, 'The answer has no text and no tool call; see the raw message.')
      : null,
  ]);
}

function RequestSummary({ request }: { readonly request: RequestContent }): ComponentChild {
  const last = request.messages.at(-1);
  return h('div', null, [
    h('p', { class: 'quiet mono' }, h(Recorded, { text: `${request.method} ${request.path}` })),
    last === undefined
      ? h(TextCard, { title: 'Body', text: request.raw.body })
      : h(TextCard, { title: `The last message, from ${last.role}`, text: last.text }),
  ]);
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}

/** By the number under which a ruling names those that were withheld. */
function callName(place: number, count: number): string {
  return count === 1 ? 'call ' : `call ${place + 1} of ${count} `;
}

function CallCard(props: {
  readonly call: ToolCall;
  /** Which of the calls it is. */
  readonly name: string;
  readonly isWithheld: boolean;
  readonly matched: ReadonlySet<string>;
  readonly path: string;
  readonly rowsMax: number;
}): ComponentChild {
  const { call, name, isWithheld, matched, path, rowsMax } = props;
  const placesIn = (at: readonly number[], member: string) => at.map((i) => `${path}/alsoAs/${i}/${member}`);
  const ownPath = `${path}/arguments`;
  const matchedHere = shownAt(matched, placesIn(call.sameArgumentsAt, 'arguments'), ownPath);
  return h('section', { class: isWithheld ? 'card call call-withheld' : 'card call' }, [
    h('h3', { class: 'call-name' }, [
      h('span', { class: 'quiet' }, name),
      h('code', null, h(Recorded, { text: call.name || '(no name)' })),
      matched.has(`${path}/name`) ? [' ', h(MatchedMark, null)] : null,
      isWithheld ? h('span', { class: 'flag' }, 'withheld') : null,
    ]),
    h(LookalikeNote, { text: call.name }),
    call.otherNames.length === 0
      ? null
      : h('p', { class: 'other-names' }, [
          h('span', { class: 'quiet' }, 'also known as '),
          call.otherNames.map(({ text, at }, i) => [
            i === 0 ? null : ', ',
            h('code', { key: text }, h(Recorded, { text })),
            placesIn(at, 'name').some((place) => matched.has(place)) ? [' ', h(MatchedMark, null)] : null,
          ]),
        ]),
    h(ArgumentsTable, { source: call.argumentsText, matched: matchedHere, path: ownPath, rowsMax }),
    call.otherReadings.map(({ text: source, at }) => {
      const places = placesIn(at, 'arguments');
      const [first = ''] = places;
      return h('div', { key: source, class: 'other-reading' }, [
        h('p', { class: 'note' }, [
          h('strong', null, 'Some clients read the arguments otherwise. '),
          'A workload that uses one of them gets this:',
        ]),
        h(ArgumentsTable, { source, matched: shownAt(matched, places, first), path: first, rowsMax }),
      ]);
    }),
  ]);
}

function TextCard(props: {
  readonly title: string;
  readonly text: string;
  readonly isMatched?: boolean;
}): ComponentChild {
  const { title, text, isMatched = false } = props;
  return h('section', { class: 'card' }, [
    h('h3', null, [h(Recorded, { text: title }), isMatched ? [' ', h(MatchedMark, null)] : null]),
    h('div', { class: 'prose' }, h(Recorded, { text })),
    h(LookalikeNote, { text }),
  ]);
}
