/**
 * Tuning of Google's models (https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/tuning,
 * https://ai.google.dev/api/tuning): which model is tuned, and which others teach or grade it. A job that distils, or
 * tunes by reinforcement, asks models what stands in storage, where nobody here saw it. Pure.
 */
import { openRequest, scalarParams, textWithin, unreadRequest, unreadResponse } from '../reading/reading.ts';
import { isAbsent, isRecord, type JsonRecord } from '../wire/json.ts';
import { content } from './content.ts';
import { camelCased, memberOf } from './parts.ts';
import type { Dialect } from './protocol.ts';
import { insteadsOf, plainModel } from './request.ts';
import type { GoogleRoute } from './route.ts';

const paramsElsewhere: ReadonlySet<string> = new Set(['baseModel', 'base_model']);

const tuningVerbs: ReadonlySet<string> = new Set([
  '',
  'rebasetunedmodel',
  'validatereinforcementtuningreward',
]);

/** True where tuning begins, or a reward of it is tried. */
export function tunesModel(method: string, { segments, verb }: GoogleRoute): boolean {
  if (/^\s*(GET|DELETE)\s*$/i.test(method)) return false;
  return ['tuningjobs', 'tunedmodels'].includes(segments.at(-1) ?? '') && tuningVerbs.has(verb);
}

/** Every text within a value whose member's name is of a kind, in the order written. */
function textsNamed(value: unknown, isMeant: (name: string) => boolean): readonly string[] {
  if (Array.isArray(value)) return value.flatMap((element) => textsNamed(element, isMeant));
  if (!isRecord(value)) return [];
  return Object.entries(value).flatMap(([key, member]) => {
    const isText = typeof member === 'string' && member !== '';
    return isText && isMeant(camelCased(key)) ? [member] : textsNamed(member, isMeant);
  });
}

const namesModel = (name: string): boolean => /(^m|M)odel(Name)?$/.test(name);
/** What is written is none, and neither is the service that rewards are asked of. */
const namesPlace = (name: string): boolean =>
  /(^u|U)ris?$|(^d|D)ataset$/.test(name) && !/^(output|cloudRun)/.test(name);

function asksModels(body: JsonRecord, defects: string[]): boolean {
  return ['distillationSpec', 'reinforcementTuningSpec', 'singleRewardConfig', 'compositeRewardConfig'].some(
    (name) => !isAbsent(memberOf(body, name, defects)),
  );
}

export const tuning: Dialect = {
  ...content,
  readsAnswer: () => false,
  readRequest(_operation, bytes) {
    const { body, defects, unread } = openRequest(bytes);
    if (body === null) return unread;
    const [tuned = '', ...others] = textsNamed(body, namesModel);
    const places = textsNamed(body, namesPlace);
    const params = { ...scalarParams(body, paramsElsewhere), input: places.join('\n') };
    const asked = insteadsOf(new Set(others), defects);
    const facts = {
      ...unreadRequest('').facts,
      model: plainModel(tuned),
      text: textWithin(body),
      params,
      ...asked,
    };
    if (!asksModels(body, defects)) return { facts, defects };
    return { facts, defects, batchFiles: places.length === 0 ? ['(not named)'] : places };
  },
  readResponse: (_operation, status) => unreadResponse(status, ''),
};
