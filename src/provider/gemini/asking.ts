/**
 * What asks Google's models otherwise than by contents: tuning, evaluations, and questions that are grounded in documents or
 * make prompts of prompts (https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/tuning and …/evaluation,
 * https://ai.google.dev/api/tuning, …/question-answering), and banks of memories, which a model writes
 * (https://docs.cloud.google.com/agent-builder/agent-engine/memory-bank/overview). None of them hands a call to the workload. A job that distils or
 * tunes by reinforcement, and an evaluation of what stands in storage, ask models what nobody here saw. Pure.
 */
import type { OperationName } from '../protocol.ts';
import { openRequest, scalarParams, textWithin, unreadRequest, unreadResponse } from '../reading/reading.ts';
import { readWords } from '../reading/words.ts';
import { isAbsent, isRecord, type JsonRecord, textOf } from '../wire/json.ts';
import { content } from './content.ts';
import { camelCased, listOf, memberOf } from './parts.ts';
import type { Dialect } from './protocol.ts';
import { insteadsOf, plainModel } from './request.ts';
import { type GoogleRoute, googleRoute, modelIn } from './route.ts';

const paramsElsewhere: ReadonlySet<string> = new Set(['baseModel', 'base_model']);

const tuningVerbs: ReadonlySet<string> = new Set([
  '',
  'rebasetunedmodel',
  'validatereinforcementtuningreward',
]);

const operationByVerb: ReadonlyMap<string, OperationName> = new Map([
  ['evaluateinstances', 'evaluations'],
  ['evaluatedataset', 'evaluations'],
  ['generateinstancerubrics', 'evaluations'],
  ['generatesyntheticdata', 'evaluations'],
  ['generateuserscenarios', 'evaluations'],
  ['retrievecontexts', 'knowledge.query'],
  ['askcontexts', 'knowledge.query'],
  ['augmentprompt', 'knowledge.query'],
  ['corroboratecontent', 'knowledge.query'],
  ['optimizeprompt', 'knowledge.query'],
  ['generateanswer', 'knowledge.query'],
  ['generatetext', 'knowledge.query'],
  ['generatemessage', 'knowledge.query'],
]);
/** What a bank of memories is told, which a model sums up, and what it is asked. */
const memoryVerbs: ReadonlySet<string> = new Set(['', 'generate', 'ingestevents', 'retrieve']);
const operations: ReadonlySet<OperationName> = new Set([
  ...['tuning_jobs', 'memories'],
  ...operationByVerb.values(),
]);

/** The operation of a path that asks in one of these ways; null for any other. */
export function askingOperation(method: string, { segments, verb }: GoogleRoute): OperationName | null {
  // Google lets a header replace the method of what has a verb.
  const asked = operationByVerb.get(verb);
  if (asked !== undefined) return asked;
  if (/^\s*(GET|DELETE)\s*$/i.test(method)) return null;
  const last = segments.at(-1) ?? '';
  if (last === 'evaluationruns' && verb === '') return 'evaluations';
  const isMemory = last === 'memories' || segments.at(-2) === 'memories';
  if (isMemory && segments.includes('reasoningengines') && memoryVerbs.has(verb)) return 'memories';
  return ['tuningjobs', 'tunedmodels'].includes(last) && tuningVerbs.has(verb) ? 'tuning_jobs' : null;
}

/** True for the operations above. */
export function isAsking(operation: OperationName): boolean {
  return operations.has(operation);
}

/** Every text within a value whose member's name is of a kind, alone or in a list, in the order written. */
function textsNamed(value: unknown, isMeant: (name: string) => boolean): readonly string[] {
  if (Array.isArray(value)) return value.flatMap((element) => textsNamed(element, isMeant));
  if (!isRecord(value)) return [];
  return Object.entries(value).flatMap(([key, member]) => {
    const texts = isMeant(camelCased(key))
      ? listOf(member)
          .map(textOf)
          .filter((text) => text !== '')
      : [];
    return [...texts, ...textsNamed(member, isMeant)];
  });
}

const namesModel = (name: string): boolean => /(^m|M)odel(Name)?$/.test(name);
/** What is written is none, and neither is the service that rewards are asked of. */
const namesPlace = (name: string): boolean =>
  /(^u|U)ris?$|(^d|D)ataset$/.test(name) && !/^(output|cloudRun)/.test(name);

function asksStored(operation: OperationName, body: JsonRecord, defects: string[]): boolean {
  return (
    operation === 'evaluations' ||
    ['distillationSpec', 'reinforcementTuningSpec', 'singleRewardConfig', 'compositeRewardConfig'].some(
      (name) => !isAbsent(memberOf(body, name, defects)),
    )
  );
}

/**
 * Where what is asked is read from. Tuning that names no place reads from one all the same, and so does a run of an evaluation
 * that is kept; another may bring it along.
 */
function storedIn(operation: OperationName, path: string, places: readonly string[]): readonly string[] {
  const isKept = operation === 'tuning_jobs' || googleRoute(path).segments.at(-1) === 'evaluationruns';
  return places.length === 0 && isKept ? ['(not named)'] : places;
}

export const asking: Dialect = {
  ...content,
  readsAnswer: (operation) => operation !== 'tuning_jobs',
  readRequest(operation, bytes, { path }) {
    const { body, defects, unread } = openRequest(bytes);
    if (body === null) return unread;
    const named = [modelIn(googleRoute(path)), ...textsNamed(body, namesModel)];
    const [model = '', ...others] = named.filter((name) => name !== '').map(plainModel);
    const places = textsNamed(body, namesPlace);
    const params = { ...scalarParams(body, paramsElsewhere), input: places.join('\n') };
    const asked = insteadsOf(new Set(others.filter((name) => name !== model)), defects);
    const facts = { ...unreadRequest('').facts, model, text: textWithin(body), params, ...asked };
    const stored = asksStored(operation, body, defects) ? storedIn(operation, path, places) : [];
    return stored.length === 0 ? { facts, defects } : { facts, defects, batchFiles: stored };
  },
  readResponse: (operation, status, body) =>
    operation === 'tuning_jobs' ? unreadResponse(status, '') : readWords(status, body),
};
