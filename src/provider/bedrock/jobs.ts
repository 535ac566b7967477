/**
 * Bedrock's jobs, which read prompts from the customer's storage and write the answers there
 * (https://docs.aws.amazon.com/bedrock/latest/APIReference/API_CreateModelInvocationJob.html and its neighbours), at
 * the endpoint of the control plane. Neither comes by here: what can be judged is that a job is made, of which model,
 * from what and to where. Pure; hostile bytes in, facts and defects out.
 */

import type { OperationName, RequestReading } from '../protocol.ts';
import { joined, note, openRequest, scalarParams, textWithin, unreadRequest } from '../reading/reading.ts';
import { isAbsent, isRecord, type JsonRecord, textOf } from '../wire/json.ts';

/** Jobs that ask models what stands in a file, by the last segment of the path that makes them. */
const jobs: ReadonlyMap<string, OperationName> = new Map([
  ['model-invocation-job', 'model_invocation_job'],
  ['evaluation-jobs', 'evaluation_jobs'],
  ['advanced-prompt-optimization-jobs', 'prompt_optimization_jobs'],
  ['model-customization-jobs', 'model_customization_jobs'],
]);

export const jobOperations: ReadonlySet<OperationName> = new Set(jobs.values());

/** The operation that makes a job; null for any other path. */
export function jobOperationOf(segments: readonly string[]): OperationName | null {
  return jobs.get(segments.at(-1) ?? '') ?? null;
}

/** Members that say where something is written, or what the job may touch. */
const notRead = /^(output|vpc|tags|jobTags|customModelTags)/;
const placeMax = 1_000;

/** Every place from which a job reads, in the order they stand. */
function placesIn(value: unknown, into: string[]): void {
  if (Array.isArray(value)) for (const element of value) placesIn(element, into);
  if (!isRecord(value)) return;
  for (const [name, member] of Object.entries(value)) {
    if (notRead.test(name)) continue;
    if (typeof member === 'string' && /^s3:\/\//i.test(member)) into.push(member);
    else placesIn(member, into);
  }
}

const modelMembers: ReadonlySet<string> = new Set(['modelId', 'modelIdentifier', 'baseModelIdentifier']);

/** Every model that a job names, one a line, as a job may compare several. */
function modelsIn(value: unknown): string {
  if (Array.isArray(value)) return value.map(modelsIn).reduce(joined, '');
  if (!isRecord(value)) return '';
  return Object.entries(value)
    .map(([name, member]) => (modelMembers.has(name) ? textOf(member) : modelsIn(member)))
    .reduce(joined, '');
}

/** Only tuning by reinforcement asks the model; other tuning has the answers in its files. */
function asksModel(
  operation: OperationName,
  { customizationType, customizationConfig }: JsonRecord,
): boolean {
  if (operation !== 'model_customization_jobs') return true;
  const isDistilled = isRecord(customizationConfig) && !isAbsent(customizationConfig.distillationConfig);
  return isDistilled || /REINFORCEMENT|DISTILLATION/i.test(textOf(customizationType));
}

const paramsElsewhere: ReadonlySet<string> = new Set([
  'modelId',
  'baseModelIdentifier',
  'clientRequestToken',
]);

/** Reads the body that makes a job. */
export function readJobRequest(operation: OperationName, bytes: Buffer): RequestReading {
  const { body, defects, unread } = openRequest(bytes);
  if (body === null) return unread;
  const places: string[] = [];
  placesIn(body, places);
  if (places.length > placeMax) note(defects, `a job reads from more than ${placeMax} places`);
  const output = textWithin(body.outputDataConfig);
  const params = { ...scalarParams(body, paramsElsewhere), input: places.join('\n'), output };
  const facts = { ...unreadRequest('').facts, model: modelsIn(body), params };
  if (!asksModel(operation, body)) return { facts, defects };
  // A job that names no place reads from one that it does not name, such as a dataset of Amazon's own.
  return { facts, defects, batchFiles: places.length === 0 ? ['(not named)'] : places };
}
