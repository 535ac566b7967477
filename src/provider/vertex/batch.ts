/**
 * Vertex AI's batch prediction jobs, which read their requests from storage and write the answers there
 * (https://cloud.google.com/vertex-ai/docs/reference/rest/v1/projects.locations.batchPredictionJobs). Neither comes
 * by here: what can be judged is that a job is made, of which model, from what and to where. Pure.
 */

import { content } from '../gemini/content.ts';
import { camelCased, memberOf } from '../gemini/parts.ts';
import type { Dialect } from '../gemini/protocol.ts';
import { googleRoute, modelIn } from '../gemini/route.ts';
import {
  modelName,
  openRequest,
  scalarParams,
  textWithin,
  unreadRequest,
  unreadResponse,
} from '../reading/reading.ts';
import { isRecord, type JsonRecord, textOf } from '../wire/json.ts';

const paramsElsewhere: ReadonlySet<string> = new Set(['model']);

/** Every place within a source or a destination, one a line; formats are none. */
function placesIn(config: unknown): string {
  if (!isRecord(config)) return '';
  const places = Object.entries(config).filter(([name]) => !/format$/i.test(camelCased(name)));
  return textWithin(Object.fromEntries(places));
}

function paramsOf(body: JsonRecord, defects: string[]): Record<string, unknown> {
  return {
    ...scalarParams(body, paramsElsewhere),
    input: placesIn(memberOf(body, 'inputConfig', defects)),
    output: placesIn(memberOf(body, 'outputConfig', defects)),
  };
}

export const batchPrediction: Dialect = {
  ...content,
  readsAnswer: () => false,
  readRequest(_operation, bytes) {
    const { body, defects, unread } = openRequest(bytes);
    if (body === null) return unread;
    const name = modelName(body['model'], defects);
    const model = modelIn(googleRoute(name)) || name;
    const params = paramsOf(body, defects);
    const batchFiles = textOf(params['input'])
      .split('\n')
      .filter((place) => place !== '');
    return { facts: { ...unreadRequest('').facts, model, params }, defects, batchFiles };
  },
  readResponse: (_operation, status) => unreadResponse(status, ''),
};
