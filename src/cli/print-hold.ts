/** One hold on a terminal: everything needed to rule, or of one that is over what was held, who ruled, and what came of it. */
import { becauseLines, rulesIn } from './because.ts';
import { callLines } from './call-lines.ts';
import { conversationIn, heldIn, offeredIn, remarksIn } from './held-content.ts';
import { type Detail, isOver, rulingsIn, unnamed, withheldIn } from './hold-answers.ts';
import { printLine, visible, visibleLines } from './print.ts';
import { whoRules } from './who-rules.ts';

export function printHold(hold: Detail): void {
  printLine(visible(`${hold.id}  ${hold.state}  [${hold.severity}]  decision ${hold.decisionId}`));
  const when = isOver(hold)
    ? `held ${hold.openedAt}  outcome ${hold.outcome ?? 'none yet'}`
    : `expires ${hold.expiresAt}  caller ${hold.caller}${hold.assignee === '' ? '' : `  with ${hold.assignee}`}`;
  printLine(visible(`workload ${hold.workload || unnamed}  model ${hold.model}  ${when}`));
  const printRulings = (): void => {
    for (const { title, reason } of rulingsIn(hold)) printPart({ title, text: reason });
  };
  if (isOver(hold)) printRulings();
  printCalls(hold);
  for (const part of heldIn(hold)) printPart(part);
  for (const rule of hold.rules) {
    const title = `Held by ${rule.id}: ${rule.title}  (policy ${hold.policy.version})`;
    printPart({ title, text: becauseLines(rule).join('\n') });
  }
  printLine(`\nWho rules\n${indent(visibleLines(whoRules(hold).join('\n')))}`);
  if (!isOver(hold)) printRulings();
  for (const { who, text } of conversationIn(hold)) printPart({ title: who, text });
  for (const part of offeredIn(hold)) printPart(part);
  for (const part of [...remarksIn(hold), ...rulesIn(hold)]) printPart(part);
  printLine(`\ndigest ${visible(hold.digest)}`);
}

function printCalls(hold: Detail): void {
  const withheld = withheldIn(hold);
  for (const [place, call] of (hold.exchange?.response?.toolCalls ?? []).entries()) {
    const title = isOver(hold)
      ? `What was held, a tool call${withheld.has(place) ? ' that was withheld' : ''}`
      : 'If you release, this tool call reaches the workload';
    printLine(`\n${title}:\n  ${visible(call.name)}  (${visible(call.id)})`);
    printLine(indent(visibleLines(callLines(call).join('\n'))));
  }
}

function printPart({ title, text }: { readonly title: string; readonly text: string }): void {
  printLine(`\n${visible(title)}${text === '' ? '' : `\n${indent(visibleLines(text))}`}`);
}

function indent(text: string): string {
  return text.replace(/^/gm, '  ');
}
