/** What a hold holds beside its tool calls, and what led to it, for a terminal. Not yet made visible. */
import { countText } from '../console/words/counts.ts';
import { callLines } from './call-lines.ts';
import type { Detail } from './hold-answers.ts';
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

/** Of what nobody could read into fields. */
const rawCharactersMax = 4_000;

/**
 * What a release lets go, tool calls apart: the request, or the answer's words; and that it may go twice. Of what has none it is what was sent, so
 * that nobody rules on what they cannot see.
 */
export function heldIn(hold: Detail): readonly Part[] {
  return [...(hold.possibleDuplicate ? [{ title: duplicate, text: '' }] : []), ...contentIn(hold)];
}

const duplicate =
  'Possible duplicate: the same call was held already while its caller still waited. Releasing both may do it twice.';

function contentIn({ id, exchange }: Detail): readonly Part[] {
  if (exchange === null) return [];
  const { response, defects } = exchange;
  const unread =
    defects.length === 0 ? [] : [{ title: 'Not everything could be read', text: defects.join('\n') }];
  if (response === null) {
    const request = requestIn(exchange);
    const title = `If you release, this request goes to the provider: ${request.method} ${request.path}`;
    const isRead = request.system !== '' || request.messages.length > 0;
    return [{ title, text: isRead ? '' : beginning(request.raw.body, id) }, ...unread];
  }
  const { text, refusal, toolCalls, raw } = response;
  const words = [
    ...(text === '' ? [] : [{ title: 'Answer', text }]),
    ...(refusal === '' ? [] : [{ title: 'The model refused', text: refusal }]),
  ];
  if (words.length + toolCalls.length > 0) return [...words, ...unread];
  const sent = [raw.startLine, ...headerLines(raw.headers), '', beginning(raw.body, id)].join('\n');
  return [{ title: 'If you release, this answer reaches the workload', text: sent }, ...unread];
}

/** Who said what before what is held, and called what: as a reviewer amended it, where one did. */
export function conversationIn({
  exchange,
}: Detail): readonly { readonly who: string; readonly text: string }[] {
  if (exchange === null) return [];
  const { system, messages } = requestIn(exchange);
  const alone = systemBeside({ system, messages });
  const how = exchange.amendedRequest === null ? '' : ', as a reviewer amended it';
  return [
    ...(alone === '' ? [] : [{ who: `the system prompt${how}`, text: alone }]),
    ...messages.map(({ role, text, toolCalls }) => {
      const calls = toolCalls.map((call) => [`calls ${visible(call.name)}`, ...callLines(call)].join('\n'));
      return {
        who: `${role}${how}`,
        text: [...(text === '' ? [] : [text]), ...calls].join('\n') || '(no text)',
      };
    }),
  ];
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

/** @param headers names and values in turn */
function headerLines(headers: readonly string[]): string[] {
  return headers.flatMap((name, i) => (i % 2 === 0 ? [`${name}: ${headers[i + 1] ?? ''}`] : []));
}

function beginning(text: string, id: string): string {
  if (text.length <= rawCharactersMax) return text;
  const left = countText(text.length - rawCharactersMax);
  return `${text.slice(0, rawCharactersMax)}\nand ${left} characters more: holdpoint holds show ${id} --json`;
}
