/** Says in words what a schema refused, for whoever sent it: a zod error in, one line out. Never repeats what was sent. Pure. */
import type { z } from 'zod';

/** `limit must be at least 1; since must be a time such as 2026-11-24T18:00:00Z.` */
export function wrongInput(error: z.ZodError): string {
  return `${error.issues.map((issue) => `${placeOf(issue.path)} ${whatIsWrong(issue)}`).join('; ')}.`;
}

function placeOf(path: readonly PropertyKey[]): string {
  const steps = path.map((step) => (typeof step === 'number' ? `[${step}]` : `.${String(step)}`));
  return steps.length === 0 ? 'What was sent' : steps.join('').replace(/^\./, '');
}

function whatIsWrong(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      return issue.message.endsWith('received undefined')
        ? 'is missing'
        : `must be ${kinds[issue.expected] ?? `a ${issue.expected}`}`;
    case 'invalid_value':
      return `must be one of ${issue.values.map(String).join(', ')}`;
    case 'too_small':
      return `must ${bound(issue.origin, issue.inclusive ? 'at least' : 'more than', issue.minimum)}`;
    case 'too_big':
      return `must ${bound(issue.origin, issue.inclusive ? 'at most' : 'less than', issue.maximum)}`;
    case 'unrecognized_keys':
      return `has what is not known here: ${issue.keys.join(', ')}`;
    case 'invalid_format':
      return issue.format === 'datetime'
        ? 'must be a time such as 2026-11-24T18:00:00Z'
        : plain(issue.message);
    default:
      return plain(issue.message);
  }
}

const kinds: Readonly<Record<string, string>> = {
  object: 'an object',
  record: 'an object',
  array: 'an array',
  int: 'a whole number',
  boolean: 'true or false',
};

function bound(origin: string, relation: string, limit: number | bigint): string {
  const s = Number(limit) === 1 ? '' : 's';
  if (origin === 'string') return `have ${relation} ${limit} character${s}`;
  if (origin === 'array' || origin === 'set') return `have ${relation} ${limit} item${s}`;
  return `be ${relation} ${limit}`;
}

/** The message of a check of our own goes on from the place: `limit: expected a whole number`. */
function plain(message: string): string {
  return `is not accepted: ${message.replace(/^Invalid (input|string): /, '')}`;
}
