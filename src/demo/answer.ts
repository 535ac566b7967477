/**
 * What the demonstration model says: decided by the prompt and the offered tools alone, so that the same
 * question always gets the same answer. There is no model behind it. Pure.
 */

export interface OfferedTool {
  readonly name: string;
  /** The JSON schema of each argument, by name. */
  readonly properties: Readonly<Record<string, unknown>>;
}

export interface Question {
  readonly model: string;
  readonly stream: boolean;
  /** The last thing the user said. */
  readonly prompt: string;
  readonly tools: readonly OfferedTool[];
  /** The conversation ends with a tool's result, so the model sums up instead of calling again. */
  readonly afterToolResult: boolean;
  /** Characters the model reads, for the token counts. */
  readonly inputChars: number;
}

export interface Answer {
  readonly text: string;
  readonly call: { readonly name: string; readonly argumentsText: string } | null;
  readonly inputTokens: number;
  readonly outputTokens: number;
}

const ibanDefault = 'DE89370400440532013000';
const ibanPattern = /\b[A-Z]{2}\d{2}[A-Z0-9]{11,30}\b/;
const amountPattern = /\d+(?:[ ,']\d{3})*(?:\.\d+)?/;
const charsPerToken = 4;
/** Words shorter than this join sentences and say nothing of a topic. */
const wordCharsMin = 4;
const fillers: ReadonlySet<string> = new Set([
  'please',
  'could',
  'would',
  'what',
  'which',
  'where',
  'when',
  'this',
  'that',
  'with',
  'from',
  'about',
  'into',
  'have',
  'your',
  'tell',
  'give',
  'does',
  'them',
  'they',
  'there',
  'then',
  'than',
  'short',
  'some',
]);

function wordsOf(text: string): readonly string[] {
  return text.toLowerCase().match(/[a-z]+/g) ?? [];
}

/** True for a word and its inflections: transfer, transfers, transferring; delete, deleting. */
function sameWord(a: string, b: string): boolean {
  if (a === b) return true;
  const stem = Math.max(wordCharsMin, Math.min(a.length, b.length) - 1);
  return a.length >= stem && b.length >= stem && a.slice(0, stem) === b.slice(0, stem);
}

function chosenTool(prompt: string, tools: readonly OfferedTool[]): OfferedTool | null {
  const asked = wordsOf(prompt).filter((word) => word.length >= wordCharsMin);
  for (const tool of tools) {
    const named = wordsOf(tool.name).filter((word) => word.length >= wordCharsMin);
    if (named.some((word) => asked.some((other) => sameWord(word, other)))) return tool;
  }
  return null;
}

function amountIn(prompt: string): number {
  const found = prompt.replace(ibanPattern, ' ').match(amountPattern);
  return found === null ? 1 : Number(found[0].replace(/[ ,']/g, ''));
}

function currencyIn(prompt: string): string {
  const code = prompt.match(/\b(EUR|USD|GBP|CHF|JPY)\b/i)?.[1];
  if (code !== undefined) return code.toUpperCase();
  if (prompt.includes('$')) return 'USD';
  return prompt.includes('£') ? 'GBP' : 'EUR';
}

/** What the prompt is about: its last word of substance. */
function topicOf(prompt: string): string {
  const words = wordsOf(prompt).filter((word) => word.length >= wordCharsMin && !fillers.has(word));
  return words.at(-1) ?? 'your question';
}

function typeOf(schema: unknown): string {
  if (typeof schema !== 'object' || schema === null || !('type' in schema)) return 'string';
  return typeof schema.type === 'string' ? schema.type : 'string';
}

function argumentFor(name: string, schema: unknown, prompt: string): unknown {
  const type = typeOf(schema);
  if (type === 'number' || type === 'integer') return amountIn(prompt);
  if (type === 'boolean') return true;
  if (type === 'array') return [];
  if (type === 'object') return {};
  if (typeof schema === 'object' && schema !== null && 'enum' in schema && Array.isArray(schema.enum)) {
    return schema.enum[0];
  }
  if (/currency/i.test(name)) return currencyIn(prompt);
  if (/^to$|iban|account/i.test(name)) return prompt.match(ibanPattern)?.[0] ?? ibanDefault;
  return topicOf(prompt);
}

function argumentsFor(tool: OfferedTool, prompt: string): Record<string, unknown> {
  const names = Object.keys(tool.properties);
  if (names.length > 0) {
    return Object.fromEntries(names.map((name) => [name, argumentFor(name, tool.properties[name], prompt)]));
  }
  if (!/transfer|pay|fund/i.test(tool.name)) return { target: topicOf(prompt) };
  const to = prompt.match(ibanPattern)?.[0] ?? ibanDefault;
  return { amount: amountIn(prompt), currency: currencyIn(prompt), to };
}

function textFor(question: Question): string {
  if (question.afterToolResult) return 'Done. The tool has answered, and nothing is left to do.';
  const topic = topicOf(question.prompt);
  return `In short, about ${topic}: this is a demonstration answer, written with no model behind it.`;
}

/** Answers one question. */
export function answerTo(question: Question): Answer {
  const tool = question.afterToolResult ? null : chosenTool(question.prompt, question.tools);
  const call =
    tool === null
      ? null
      : { name: tool.name, argumentsText: JSON.stringify(argumentsFor(tool, question.prompt)) };
  const text = call === null ? textFor(question) : '';
  const outputChars = text.length + (call?.argumentsText.length ?? 0);
  return {
    text,
    call,
    inputTokens: Math.ceil(question.inputChars / charsPerToken),
    outputTokens: Math.ceil(outputChars / charsPerToken),
  };
}
