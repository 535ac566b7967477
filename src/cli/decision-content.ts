/** What was said in a decision, for a terminal: what the model was given, what it answered, and what people put in their place. */
import { z } from 'zod';
import { callLines } from './call-lines.ts';
import { callSchema } from './hold-answers.ts';
import { visible, visibleLines } from './print.ts';
import { systemBeside } from './system-prompt.ts';

const messageSchema = z.object({ role: z.string(), text: z.string(), toolCalls: z.array(callSchema) });
const requestSchema = z.object({ system: z.string(), messages: z.array(messageSchema) });
const responseSchema = z.object({
  status: z.number(),
  text: z.string(),
  refusal: z.string(),
  toolCalls: z.array(callSchema),
});

/** The exchange of a decision as far as the command line reads it. */
export const contentSchema = z.object({
  request: requestSchema,
  response: responseSchema.nullable(),
  amendedRequest: requestSchema.nullable(),
  amendedResponse: responseSchema.nullable(),
  defects: z.array(z.string()),
});
export type Content = z.output<typeof contentSchema>;

type Call = z.output<typeof callSchema>;

/** Lines to print; what somebody else wrote stands behind a margin, and nothing of it is obeyed by a terminal. */
export function contentLines(content: Content): readonly string[] {
  const { request, response, amendedRequest, amendedResponse, defects } = content;
  return [
    ...requestLines(request, 'What the workload asked'),
    ...(amendedRequest === null
      ? []
      : requestLines(amendedRequest, 'Amended by a reviewer: what the model was given instead')),
    ...(response === null
      ? ['', 'There is no answer.']
      : answerLines(response, 'What the provider answered')),
    ...(amendedResponse === null
      ? []
      : answerLines(amendedResponse, 'Amended by a reviewer: what the workload gets instead')),
    ...defects.map((defect) => `\nNot everything could be read: ${visible(defect)}`),
  ];
}

function requestLines({ system, messages }: z.output<typeof requestSchema>, title: string): string[] {
  const alone = systemBeside({ system, messages });
  return [
    `\n${title}`,
    ...(alone === '' ? [] : ['  system', ...quoted(alone)]),
    ...messages.flatMap(({ role, text, toolCalls }) => [
      `  ${visible(role)}`,
      ...(text === '' ? [] : quoted(text)),
      ...toolCalls.flatMap(linesOfCall),
    ]),
  ];
}

function answerLines(
  { status, text, refusal, toolCalls }: z.output<typeof responseSchema>,
  title: string,
): string[] {
  const said = [text, refusal].filter((part) => part !== '');
  return [
    `\n${title} (status ${status})`,
    ...said.flatMap(quoted),
    ...toolCalls.flatMap(linesOfCall),
    ...(said.length + toolCalls.length === 0 ? ['  neither text nor a tool call'] : []),
  ];
}

function linesOfCall(call: Call): string[] {
  return [`    calls ${visible(call.name)}  (${visible(call.id)})`, ...quoted(callLines(call).join('\n'))];
}

function quoted(text: string): string[] {
  return visibleLines(text)
    .split('\n')
    .map((line) => `      ${line}`);
}
