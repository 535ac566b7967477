/**
 * OpenAI requests that are no conversation: a prompt, a query, a text to embed or to speak, a form with files
 * (https://platform.openai.com/docs/api-reference). Pure; hostile bytes in, facts and defects out.
 */
import type { ToolFact } from '../../core/facts.ts';
import { readWithFallbacks, withConsulted } from '../asked/fallback-models.ts';
import type { RequestBodyFacts, RequestHead, RequestReading } from '../protocol.ts';
import { readFormRequest, type TextMembers, textFacts } from '../reading/form-request.ts';
import { noteRespelled } from '../reading/member-spelling.ts';
import { isForm } from '../reading/multipart.ts';
import {
  boundedList,
  joined,
  modelName,
  openRequest,
  scalarParams,
  streamFlag,
  textWithin,
  tokenIdsIn,
  toolsMax,
} from '../reading/reading.ts';
import { isAbsent, isRecord, type JsonRecord } from '../wire/json.ts';
import { contentText } from './chat.ts';
import { offeredBy } from './offered-tools.ts';

const paramsElsewhere: readonly string[] = ['model', 'stream'];

function memberText(value: unknown, defects: string[]): string {
  if (!Array.isArray(value)) return textWithin(value);
  let text = '';
  // Servers take several prompts, each of which may be words, token ids or both.
  for (const element of value) {
    const said = Array.isArray(element) ? memberText(element, defects) : contentText([element], defects);
    text = joined(text, said);
  }
  return text;
}

/** The tools that are offered, functions by their own name and built-in ones by their type; those of a namespace besides. */
export function readTextTools(list: unknown, defects: string[]): readonly ToolFact[] {
  return boundedList(list, toolsMax, '`tools`', defects).flatMap((tool) => {
    const inner = isRecord(tool) && isRecord(tool.function) ? tool.function : tool;
    const entry = isRecord(inner) ? inner : {};
    const own = offeredBy(entry);
    return isAbsent(entry.tools) ? own : [...own, ...readTextTools(entry.tools, defects)];
  });
}

/**
 * Where a body names its model within a member: the agent of a session, what one of Azure's is made of, what an evaluation
 * runs or is graded by.
 */
const membersWithModel = ['agent', 'definition', 'data_source', 'grader'];

function modelIn(body: JsonRecord): unknown {
  if (!isAbsent(body.model)) return body.model;
  for (const name of membersWithModel) {
    const member = body[name];
    if (isRecord(member) && !isAbsent(member.model)) return member.model;
  }
  return undefined;
}

function readJsonBody(body: JsonRecord, members: TextMembers, defects: string[]): RequestBodyFacts {
  const { model: _model, stream, tools, ...rest } = body;
  let system = '';
  let text = members.text === null ? textWithin(rest) : '';
  let tokenIds = 0;
  for (const name of members.system) system = joined(system, memberText(body[name], defects));
  for (const name of members.text ?? []) {
    text = joined(text, memberText(body[name], defects));
    tokenIds += tokenIdsIn(body[name]);
  }
  const words = new Set([...paramsElsewhere, ...members.system, ...(members.text ?? [])]);
  noteRespelled(body, new Set([...words, 'tools']), defects);
  const params = scalarParams(body, words);
  const said = {
    model: modelName(modelIn(body), defects),
    stream: streamFlag(stream, defects),
    system,
    text,
  };
  const facts = { ...textFacts(said, params), tools: readTextTools(tools, defects) };
  return tokenIds === 0 ? facts : { ...facts, tokenIds };
}

/** Reads a request body, JSON or a form. An empty one asks for nothing: no defect. */
export function readTextRequest(bytes: Buffer, head: RequestHead, members: TextMembers): RequestReading {
  if (isForm(head.contentType)) return readFormRequest(bytes, head, members);
  const { body, defects, unread } = openRequest(bytes);
  if (body === null) return unread;
  const read = (one: JsonRecord): RequestBodyFacts => readJsonBody(one, members, defects);
  // Where any text counts nobody says which members name models to fall back to.
  const facts =
    members.text === null ? withConsulted(body, read(body), defects) : readWithFallbacks(body, defects, read);
  return { facts, defects };
}
