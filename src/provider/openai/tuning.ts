/**
 * Requests that have a provider ask models on its own: runs of evaluations, and fine-tuning at OpenAI, Mistral, Together,
 * Cohere and Fireworks (https://platform.openai.com/docs/api-reference/evals, …/fine-tuning,
 * https://docs.cohere.com/reference/createfinetunedmodel, https://docs.fireworks.ai/api-reference). What stands in a file
 * of theirs is asked by nobody who was seen here. Pure; hostile bytes in, facts and defects out.
 */

import { alsoAsking } from '../asked/insteads.ts';
import type { RequestHead, RequestReading } from '../protocol.ts';
import { note } from '../reading/reading.ts';
import { routeSegments } from '../route.ts';
import { isAbsent, isRecord, type JsonRecord, readJson, textOf } from '../wire/json.ts';
import { readTextRequest } from './text-requests.ts';

function bodyOf(bytes: Buffer): JsonRecord {
  const { value } = readJson(bytes, 'the request body');
  return isRecord(value) ? value : {};
}

/** The reading with the files that these values name; whatever names one otherwise is a defect. */
function withFiles(reading: RequestReading, names: readonly unknown[]): RequestReading {
  const batchFiles = names.map(textOf).filter((name) => name !== '');
  const defects = [...reading.defects];
  if (names.some((name) => !isAbsent(name) && typeof name !== 'string'))
    note(defects, 'the name of a file is not a text');
  return batchFiles.length === 0 ? { ...reading, defects } : { ...reading, defects, batchFiles };
}

/** What is asked stands in a file, in the body, or in what OpenAI keeps of other calls, which nobody here can name. */
function placesOf({ type, id, file_id: file, content }: JsonRecord): readonly unknown[] {
  const isBrought = type === 'file_content' || !isAbsent(content);
  return isAbsent(id) && isAbsent(file) && !isBrought ? ['(not named)'] : [id, file];
}

/** Who is evaluated at Together, and by whom, by the members of its parameters: a name, or a model's settings. */
const evaluated = ['judge', 'model_to_evaluate', 'model_a', 'model_b'] as const;

function modelsOf(parameters: JsonRecord): readonly string[] {
  return evaluated
    .map((name) => parameters[name])
    .map((one) => textOf(isRecord(one) ? one.model : one))
    .filter((model) => model !== '');
}

/**
 * Reads the body that starts a run of an evaluation: its prompts, and the file whose lines are put into them
 * (Together's: https://docs.together.ai/reference/create-evaluation).
 */
export function readEvaluation(bytes: Buffer, head: RequestHead): RequestReading {
  const reading = readTextRequest(bytes, head, { system: [], text: null });
  const { data_source: data, parameters } = bodyOf(bytes);
  const source = isRecord(data) ? data.source : undefined;
  if (!isRecord(parameters)) return withFiles(reading, isRecord(source) ? placesOf(source) : []);
  const models = modelsOf(parameters);
  const facts = alsoAsking({ ...reading.facts, model: reading.facts.model || (models[0] ?? '') }, models);
  return withFiles({ ...reading, facts }, [parameters.input_data_file_path]);
}

/** The model under the names that others than OpenAI have for it; Cohere's stands in its settings. */
function tunedModel({ baseModel, base_model: base, warmStartFrom, settings }: JsonRecord): string {
  const ofSettings = isRecord(settings) && isRecord(settings.base_model) ? settings.base_model : {};
  const names = [baseModel, base, warmStartFrom, ofSettings.name, ofSettings.base_type];
  return names.map(textOf).find((name) => name !== '') ?? '';
}

/** Fireworks' jobs that ask the model whatever their body names; one that goes on with another names nothing. */
const askingJobs: ReadonlySet<string> = new Set(['reinforcementfinetuningjobs', 'evaluationjobs']);

/**
 * Reads the body that starts a fine-tuning job or runs a grader. A job by reinforcement, or one that evaluates, asks the
 * model what stands in its files; other jobs have the answers there, and ask nobody.
 */
export function readFineTuning(bytes: Buffer, head: RequestHead): RequestReading {
  const text = ['suffix', 'grader', 'item', 'model_sample', 'method'];
  const reading = readTextRequest(bytes, head, { system: [], text });
  const body = bodyOf(bytes);
  const { method, training_file: training, validation_file: validation } = body;
  const facts = { ...reading.facts, model: reading.facts.model || tunedModel(body) };
  const named = { ...reading, facts };
  if (askingJobs.has(routeSegments(head.path).at(-1) ?? '')) {
    const asked = withFiles(named, [body.dataset, body.evaluationDataset, body.inputDataset]);
    return { ...asked, batchFiles: asked.batchFiles ?? ['(not named)'] };
  }
  const asks =
    isRecord(method) && (textOf(method.type) === 'reinforcement' || !isAbsent(method.reinforcement));
  return asks ? withFiles(named, [training, validation]) : named;
}
