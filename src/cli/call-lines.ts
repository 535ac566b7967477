/** A tool call for somebody who rules on it: what the workload gets, and where clients get something else than is shown. */
import type { Detail } from './hold-answers.ts';
import { visible } from './print.ts';

type Call = NonNullable<NonNullable<Detail['exchange']>['response']>['toolCalls'][number];

/**
 * The arguments, laid out; as they were sent, too, where laying out changed what they say; and how else the call is read.
 * No text of the provider's begins a line among ours.
 */
export function callLines(call: Call): readonly string[] {
  const laidOut = JSON.stringify(call.arguments);
  const others = call.alsoAs ?? [];
  const names = new Set(others.map(({ name }) => name).filter((name) => name !== call.name));
  // By another name a call may be handed a part of its arguments: what its server hands to its tool.
  const own = others.filter(({ name }) => name === call.name);
  const readings = new Set(
    own.map((other) => JSON.stringify(other.arguments)).filter((other) => other !== laidOut),
  );
  return [
    ...JSON.stringify(call.arguments, null, 2).split('\n'),
    ...(isAsSent(laidOut, call.argumentsText) ? [] : [`exactly as sent: ${visible(call.argumentsText)}`]),
    ...[...names].map((name) => `also known as ${visible(name)}`),
    ...[...readings].map((reading) => `some clients read instead: ${reading}`),
  ];
}

/** Numbers beyond what JavaScript holds, names that stand twice and the like do not survive being read. */
function isAsSent(laidOut: string, sent: string): boolean {
  const bare = withoutSpace(sent);
  return bare === laidOut || (bare === '' && laidOut === '{}');
}

/** JSON without the white space between its tokens. */
function withoutSpace(json: string): string {
  let bare = '';
  let isInText = false;
  for (let at = 0; at < json.length; at += 1) {
    const character = json.charAt(at);
    if (isInText && character === '\\') {
      bare += json.slice(at, at + 2);
      at += 1;
      continue;
    }
    if (character === '"') isInText = !isInText;
    if (isInText || !/\s/.test(character)) bare += character;
  }
  return bare;
}
