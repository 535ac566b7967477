/** `holdpoint policy backtest`: asks a running sidecar to replay a draft over its record, page by page, and adds the pages up. */
import { addPages, type BacktestPage, readBacktestPage } from '../console/answers/backtest-data.ts';
import { countText } from '../console/words/counts.ts';
import { HoldpointError } from '../core/errors.ts';
import { draftName } from '../policy/draft-name.ts';
import { clientOptions, controlClient } from './client.ts';
import { type Command, type Environment, type ExitCode, exitCodes } from './command.ts';
import { onlyArgument, readArguments, requiredText } from './options.ts';
import { outputIsGone, printJson, printLine, printTable, visible } from './print.ts';
import { readPolicy } from './read-policy.ts';
import { printUnreadable } from './unreadable.ts';

const decisionsDefault = 10_000;
const pageDecisionsMax = 500;

export const backtestCommand: Command = {
  name: 'policy backtest',
  usage: 'FILE --reason TEXT [--since UTC] [--until UTC] [--limit DECISIONS] [--json]',
  summary: 'replay a draft over recorded decisions: what it would match, beside what matched then',
  run: backtest,
};

async function backtest(args: readonly string[], env: Environment): Promise<ExitCode> {
  const options = readArguments(args, [...clientOptions, 'reason', 'since', 'until', 'limit'], ['json']);
  const file = onlyArgument(options, 'policy file');
  const policy = readPolicy(file);
  const reason = requiredText(options, 'reason');
  const decisionsMax = countOf(options.text('limit') ?? String(decisionsDefault));
  const [since, until] = [options.text('since'), options.text('until')];
  const client = controlClient(options, env);
  const order = {
    policy,
    reason,
    ...(since === undefined ? {} : { since }),
    ...(until === undefined ? {} : { until }),
  };
  let sum: BacktestPage | null = null;
  do {
    const left: number = decisionsMax - (sum?.decisions ?? 0);
    const range = {
      limit: Math.min(pageDecisionsMax, left),
      ...(sum?.next == null ? {} : { before: sum.next }),
    };
    const answer = await client
      .postInTurn('/api/v1/policy/backtest', { ...order, ...range }, sayWaiting)
      .catch((error: unknown) => Promise.reject(ofFile(error, file)));
    const page: BacktestPage = readBacktestPage(answer);
    sum = sum === null ? page : addPages(sum, page);
    sayProgress(`${sum.decisions} decisions replayed`);
  } while (sum.next !== null && sum.decisions < decisionsMax && !outputIsGone());
  if (process.stderr.isTTY) process.stderr.write('\n');
  if (options.flag('json')) printJson(sum);
  else printBacktest(sum);
  return sum.unreadable.length === 0 ? exitCodes.ok : exitCodes.finding;
}

function sayProgress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${text}`);
}

function sayWaiting({ message }: HoldpointError): void {
  sayProgress(`${visible(message)} Waiting for the next turn.`);
}

/** The sidecar saw no file: what it says of the draft is said of the file here. */
function ofFile(error: unknown, file: string): unknown {
  if (!(error instanceof HoldpointError) || error.code !== 'policy_invalid') return error;
  const named = (text: string): string => text.replaceAll(new RegExp(`\\b${draftName}\\b`, 'g'), () => file);
  return new HoldpointError(error.code, named(error.message), named(error.next), error);
}

function countOf(text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new HoldpointError('usage', `--limit ${text} is not a number of decisions.`, 'Name 1 or more.');
}

function printBacktest(sum: BacktestPage): void {
  const { draft, decisions, replayed, rules, verdicts, notReplayed, next, unreadable } = sum;
  printLine(
    `version ${visible(draft.version)} over ${countText(decisions)} decisions: ${countText(replayed.request)} requests and ${countText(replayed.response)} answers replayed`,
  );
  if (next !== null) printLine('  there are older ones: raise --limit');
  printTable(
    ['RULE', 'PHASE', 'ACTION', 'NOW', 'BEFORE', 'NEWLY', 'NO LONGER', 'FAILED', 'NOT KNOWN'],
    rules.map((rule) => [
      rule.rule,
      rule.phase,
      rule.action ?? '-',
      ...[rule.now, rule.before, rule.newly.decisions, rule.noLonger.decisions].map(countText),
      ...[rule.failed.decisions, rule.unknown.decisions].map(countText),
    ]),
    'The draft has no rules.',
  );
  for (const { rule, newly, noLonger, failed, unknown } of rules) {
    const named = Object.entries({ newly, 'no longer': noLonger, failed, 'not known': unknown });
    for (const [what, { examples }] of named)
      if (examples.length > 0) printLine(`  ${visible(rule)}, ${what}: ${examples.map(visible).join(', ')}`);
  }
  for (const change of verdicts)
    if (change.before !== change.now)
      printLine(
        `${visible(change.before)} then, ${visible(change.now)} now: ${countText(change.decisions)} decisions`,
      );
  for (const { reason, phase, decisions: count, examples } of notReplayed)
    printLine(
      `not replayed, ${visible(reason.replaceAll('_', ' '))}: ${countText(count)} ${visible(phase)}s, such as ${examples.map(visible).join(', ')}`,
    );
  printUnreadable(unreadable.map((one) => ({ ...one, decision: one.decision === '' ? null : one.decision })));
}
