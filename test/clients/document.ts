/** The document of the matrix: written from what the tests saw and from nothing else. */
import { type Client, versionOf } from './client.ts';
import type { Outcome, Scenario } from './scenario.ts';
import { scenarios } from './scenarios.ts';

/** Renders what was seen; every client must have an outcome for every scenario. */
export function documentOf(
  clients: readonly Client[],
  outcomeOf: (client: Client, scenario: Scenario) => Outcome,
  unhandled: ReadonlySet<string>,
): string {
  const notes: string[] = [];
  const cellOf = ({ limitation }: Outcome): string => {
    if (limitation === '') return '✓';
    if (!notes.includes(limitation)) notes.push(limitation);
    return `(${notes.indexOf(limitation) + 1})`;
  };
  const rows = clients.map((client) => [
    ...identityOf(client),
    ...scenarios.map((scenario) => cellOf(outcomeOf(client, scenario))),
  ]);
  const raising = scenarios.filter((scenario) =>
    clients.some((client) => outcomeOf(client, scenario).raised),
  );
  const errors = clients.map((client) => [
    ...identityOf(client),
    ...raising.map((scenario) => raisedBy(outcomeOf(client, scenario))),
  ]);
  return [
    '# SDKs through the sidecar',
    'Written by `test/clients/matrix.test.ts` from what it saw; the test fails when this text says anything else. Every SDK runs unmodified and is told a base URL, nothing more. Each scenario runs directly against the upstream and through the sidecar, and both must come out the same.',
    tableOf(['package', 'API', ...scenarios.map(({ name }) => name)], rows),
    ...(notes.length === 0 ? [] : [notes.map((note, at) => `${at + 1}. ${note}`).join('\n')]),
    '## The scenarios',
    scenarios.map(({ name, proves }) => `- **${name}**: ${proves}.`).join('\n'),
    '## What its users catch',
    'The class of the error and the HTTP status it carries, for the provider’s 429, for errors within a stream, and for a denial.',
    tableOf(['package', 'API', ...raising.map(({ name }) => name)], errors),
    ...(unhandled.size === 0
      ? []
      : [
          `During these scenarios SDKs rejected promises that nobody can handle, and that end a Node.js process which does not listen for \`unhandledRejection\`: ${[...unhandled].sort().join(', ')}.`,
        ]),
    '',
  ]
    .join('\n\n')
    .trimEnd()
    .concat('\n');
}

function identityOf({ packages, name }: Client): string[] {
  return [packages.map((each) => `${each} ${versionOf(each)}`).join(', '), name];
}

function raisedBy({ raised }: Outcome): string {
  if (raised === undefined) return '–';
  return raised.status === null ? `\`${raised.class}\`` : `\`${raised.class}\` ${raised.status}`;
}

function tableOf(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}
