/** What a hold holds beside its tool calls, and what led to it, for a terminal. Not yet made visible. */
import { countText } from '../console/words/counts.ts';
import { callLines } from './call-lines.ts';
import { type Detail, isOver, withheldIn } from './hold-answers.ts';
import { visible } from './print.ts';
import { systemBeside } from './system-prompt.ts';

/** Something of a hold under words of our own. */
interface Part {
  readonly title: string;
  /** '' where the title says it. */
  readonly text: string;
}

type Exchange = NonNullable<Detail['exchange']>;
type Request = Exchange['request'];
type Response = NonNullable<Exchange['response']>;

/** Of what nobody could read into fields. */
const rawCharactersMax = 4_000;

/**
 * What a release lets go, tool calls apart: the request, or the answer's words; and that it may go twice. Of what has none it is what was sent, so
 * that nobody rules on what they cannot see. Of a hold that is over what was held, and what a reviewer put in its place.
 */
export function heldIn(hold: Detail): readonly Part[] {
  return [...(hold.possibleDuplicate ? [{ title: duplicate, text: '' }] : []), ...contentIn(hold)];
}

const duplicate =
  'Possible duplicate: the same call was held already while its caller still waited. Releasing both may do it twice.';

function contentIn(hold: Detail): readonly Part[] {
  const { id, exchange, unreadable } = hold;
  if (exchange === null) {
    // Who may not read it is told of nothing that cannot be read.
    const why = unreadable.map((entry) => entry.why).join('\n');
    return why === ''
      ? []
      : [{ title: 'What is held cannot be read: it can be denied and not released', text: why }];
  }
  const { response, defects } = exchange;
  const unread =
    defects.length === 0 ? [] : [{ title: 'Not everything could be read', text: defects.join('\n') }];
  if (response === null) return [...requestParts(hold, exchange), ...unread];
  const { text, refusal, toolCalls, raw } = response;
  const words = [
    ...(text === '' ? [] : [{ title: 'Answer', text }]),
    ...(refusal === '' ? [] : [{ title: 'The model refused', text: refusal }]),
  ];
  const title = isOver(hold)
    ? 'What was held, an answer'
    : 'If you release, this answer reaches the workload';
  const sent = words.length + toolCalls.length > 0 ? words : [{ title, text: messageText(raw, id) }];
  return [...sent, ...insteadOf(hold, exchange.amendedResponse), ...unread];
}

function requestParts(hold: Detail, exchange: Exchange): Part[] {
  const { request, amendedRequest } = exchange;
  const part = (words: string, { method, path, system, messages, raw }: Request): Part => {
    const isRead = system !== '' || messages.length > 0;
    return { title: `${words}: ${method} ${path}`, text: isRead ? '' : beginning(raw.body, hold.id) };
  };
  if (!isOver(hold)) return [part('If you release, this request goes to the provider', requestIn(exchange))];
  return [
    part('What was held, a request to the provider', request),
    ...(amendedRequest === null ? [] : [part('A reviewer put this request in its place', amendedRequest)]),
  ];
}

/** Which calls were withheld is said beside them. */
function insteadOf(hold: Detail, amended: Response | null): Part[] {
  if (amended === null || !isOver(hold) || withheldIn(hold).size > 0) return [];
  const { text, refusal, toolCalls, raw } = amended;
  const said = [text, refusal].filter((words) => words !== '');
  const all = [...said, ...toolCalls.map(calledText)].join('\n');
  return [{ title: 'A reviewer put this in its place', text: all || messageText(raw, hold.id) }];
}

/** Who said what before what is held, and called what: as a reviewer amended it, where one did; both, where that is what was held. */
export function conversationIn(hold: Detail): readonly { readonly who: string; readonly text: string }[] {
  const { exchange } = hold;
  if (exchange === null) return [];
  const { request, amendedRequest, response } = exchange;
  if (amendedRequest === null) return turnsIn(request, '');
  return [
    ...(isOver(hold) && response === null ? turnsIn(request, '') : []),
    ...turnsIn(amendedRequest, ', as a reviewer amended it'),
  ];
}

function turnsIn(
  { system, messages }: Request,
  how: string,
): readonly { readonly who: string; readonly text: string }[] {
  const alone = systemBeside({ system, messages });
  return [
    ...(alone === '' ? [] : [{ who: `the system prompt${how}`, text: alone }]),
    ...messages.map(({ role, text, toolCalls }) => ({
      who: `${role}${how}`,
      text: [...(text === '' ? [] : [text]), ...toolCalls.map(calledText)].join('\n') || '(no text)',
    })),
  ];
}

function calledText(call: Response['toolCalls'][number]): string {
  return [`calls ${visible(call.name)}`, ...callLines(call)].join('\n');
}

/** What else the model is given: its tools and its parameters. */
export function offeredIn({ exchange }: Detail): readonly Part[] {
  if (exchange === null) return [];
  const { tools, params } = requestIn(exchange);
  const told = Object.entries(params).map(([name, value]) => visible(`${name} ${JSON.stringify(value)}`));
  return [
    ...(tools.length === 0
      ? []
      : [{ title: 'Tools offered', text: tools.map(({ name }) => visible(name)).join('\n') }]),
    ...(told.length === 0 ? [] : [{ title: 'Parameters', text: told.join('\n') }]),
  ];
}

/** What reviewers said of it, and what one found of a release that another made alone. */
export function remarksIn({ comments, review }: Detail): readonly Part[] {
  const said = comments.map(({ by, at, text }) => ({ title: `${by} said at ${at}`, text: text ?? erased }));
  if (review === null) return said;
  const { by, verdict, at, text } = review;
  const title = `${by} found the release by one person alone ${verdict} at ${at}`;
  return [...said, { title, text: text ?? erased }];
}

const erased = '(erased)';

/** What the model is given. */
function requestIn({ request, amendedRequest }: Exchange): Request {
  return amendedRequest ?? request;
}

function messageText({ startLine, headers, body }: Response['raw'], id: string): string {
  return [startLine, ...headerLines(headers), '', beginning(body, id)].join('\n');
}

/** @param headers names and values in turn */
function headerLines(headers: readonly string[]): string[] {
  return headers.flatMap((name, i) => (i % 2 === 0 ? [`${name}: ${headers[i + 1] ?? ''}`] : []));
}

function beginning(text: string, id: string): string {
  if (text.length <= rawCharactersMax) return text;
  const left = countText(text.length - rawCharactersMax);
  return `${text.slice(0, rawCharactersMax)}\nand ${left} characters more: holdpoint holds show ${id} --json`;
}
