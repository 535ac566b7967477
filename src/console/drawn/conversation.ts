/** What led here: the last turn in view, the earlier ones, the system prompt and the tools folded away. */
import { type ComponentChild, h } from 'preact';
import { useState } from 'preact/hooks';
import type { Exchange, Message, RawMessage, RequestContent } from '../answers/exchange-data.ts';
import { laidOut, readJson } from '../words/json-tree.ts';
import { RequestDifference } from './amended-difference.ts';
import { ArgumentsTable } from './arguments.ts';
import { Recorded } from './recorded.ts';

export function Conversation({ exchange }: { readonly exchange: Exchange }): ComponentChild {
  const { response, amendedRequest } = exchange;
  // What the model was given is what led to its answer.
  const request = amendedRequest ?? exchange.request;
  const turn = lastTurn(request.messages);
  const earlier = request.messages.slice(0, request.messages.length - turn.length);
  return h('section', { class: 'conversation', 'aria-labelledby': 'conversation-title' }, [
    h('h2', { id: 'conversation-title' }, 'The conversation'),
    amendedRequest === null ? null : h(AmendedNote, { asked: exchange.request, given: amendedRequest }),
    request.system === ''
      ? null
      : h(Fold, {
          label: 'System prompt',
          content: () => h('div', { class: 'prose' }, h(Recorded, { text: request.system })),
        }),
    request.tools.length === 0
      ? null
      : h(Fold, {
          label: `Tools offered (${request.tools.length}): ${request.tools.map(({ name }) => name).join(', ')}`,
          content: () => h(Tools, { tools: request.tools }),
        }),
    request.params.length === 0
      ? null
      : h(
          'p',
          { class: 'quiet params' },
          h(Recorded, { text: request.params.map(([name, value]) => `${name} ${value}`).join(' · ') }),
        ),
    earlier.length === 0
      ? null
      : h(Fold, {
          label: `${earlier.length} earlier ${earlier.length === 1 ? 'message' : 'messages'}`,
          content: () => h(MessageList, { messages: earlier }),
        }),
    turn.length === 0
      ? h('p', { class: 'quiet' }, 'No messages could be read.')
      : h(MessageList, { messages: turn }),
    response === null
      ? null
      : h(
          'p',
          { class: 'quiet' },
          h(Recorded, { text: answerFacts(response.finishReason, response.tokens, response.streamed) }),
        ),
    h(Fold, { label: 'Raw request', content: () => h(Raw, { message: request.raw }) }),
    amendedRequest === null
      ? null
      : h(Fold, {
          label: 'Raw request as the workload sent it',
          content: () => h(Raw, { message: exchange.request.raw }),
        }),
    response === null
      ? null
      : h(Fold, { label: 'Raw answer', content: () => h(Raw, { message: response.raw }) }),
  ]);
}

/** The conversation below is a reviewer's: what the workload asked is still there to be read. */
function AmendedNote(props: {
  readonly asked: RequestContent;
  readonly given: RequestContent;
}): ComponentChild {
  const { asked, given } = props;
  return h('div', null, [
    h('p', { class: 'note' }, [
      h('strong', null, 'A reviewer amended this request. '),
      'What follows is what the model was given.',
    ]),
    h(RequestDifference, { held: asked, instead: given }),
    h(Fold, {
      label: 'What the workload had asked',
      content: () => h(MessageList, { messages: lastTurn(asked.messages) }),
    }),
  ]);
}

/** From the last message of the user on. */
export function lastTurn(messages: readonly Message[]): readonly Message[] {
  const start = messages.findLastIndex(({ role }) => role === 'user');
  return messages.slice(start < 0 ? -1 : start);
}

function Tools({ tools }: { readonly tools: Exchange['request']['tools'] }): ComponentChild {
  return h(
    'dl',
    { class: 'tools' },
    tools.map(({ name, description }, i) => [
      h('dt', { key: `t${i}` }, h('code', null, h(Recorded, { text: name }))),
      h('dd', { key: `d${i}` }, h(Recorded, { text: description })),
    ]),
  );
}

function answerFacts(finishReason: string, tokens: string, streamed: boolean): string {
  const facts = [finishReason === '' ? '' : `finished: ${finishReason}`, tokens, streamed ? 'streamed' : ''];
  return `The answer: ${facts.filter(Boolean).join(', ') || 'nothing more is known'}.`;
}

/** Of each call: there can be hundreds of messages. */
const pastRowsMax = 200;

/** Messages in order, with who said each. */
export function MessageList({ messages }: { readonly messages: readonly Message[] }): ComponentChild {
  return h('ol', { class: 'messages' }, messages.map(messageItem));
}

function messageItem(message: Message, i: number): ComponentChild {
  return h('li', { key: `${i}`, class: 'message' }, [
    h('span', { class: 'role' }, h(Recorded, { text: message.role })),
    h('div', { class: 'message-body' }, [
      message.text === '' ? null : h('div', { class: 'prose' }, h(Recorded, { text: message.text })),
      message.toolCalls.map((call, n) =>
        h('div', { key: `${n}`, class: 'past-call' }, [
          h('code', null, h(Recorded, { text: call.name })),
          h(ArgumentsTable, { source: call.argumentsText, rowsMax: pastRowsMax }),
        ]),
      ),
      message.text === '' && message.toolCalls.length === 0 ? h('span', { class: 'quiet' }, 'no text') : null,
    ]),
  ]);
}

/** Folded content is drawn when it is first opened; it can be long. */
function Fold(props: { readonly label: string; readonly content: () => ComponentChild }): ComponentChild {
  const [opened, setOpened] = useState(false);
  return h(
    'details',
    {
      class: 'fold',
      onToggle: (event: Event) => {
        if (event.currentTarget instanceof HTMLDetailsElement && event.currentTarget.open) setOpened(true);
      },
    },
    [h('summary', null, h(Recorded, { text: props.label })), opened ? props.content() : null],
  );
}

function Raw({ message }: { readonly message: RawMessage }): ComponentChild {
  return h('div', { class: 'raw-message' }, [
    h('pre', { class: 'raw' }, [
      h('strong', null, h(Recorded, { text: message.startLine })),
      '\n',
      message.headers.map(([name, value], i) => [
        h('span', { class: 'quiet', key: `n${i}` }, h(Recorded, { text: `${name}: ` })),
        h(Recorded, { key: `v${i}`, text: value }),
        '\n',
      ]),
    ]),
    h('pre', { class: 'raw' }, h(Recorded, { text: message.body })),
    readJson(message.body) === null
      ? null
      : h(Fold, {
          label: 'The same JSON laid out',
          content: () => h('pre', { class: 'raw' }, h(Recorded, { text: laidOut(message.body) })),
        }),
  ]);
}
