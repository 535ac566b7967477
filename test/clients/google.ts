/** The `@google/genai` SDK: Gemini's `generateContent`. */
import { type GenerateContentResponse, GoogleGenAI } from '@google/genai';
import {
  type Asked,
  type AskedCall,
  type Client,
  key,
  parameters,
  toolDescription,
  toolName,
  usageOf,
} from './client.ts';

const defaultModel = 'gemini-2.5-flash';
const tools = [
  {
    functionDeclarations: [
      { name: toolName, description: toolDescription, parametersJsonSchema: parameters },
    ],
  },
];

export const googleGenAi: Client = {
  name: 'generateContent',
  packages: ['@google/genai'],
  protocol: 'gemini',
  model: defaultModel,
  retries: false,
  denial: 'ApiError',
  async ask(base, prompt, options) {
    const { models } = new GoogleGenAI({ apiKey: key, httpOptions: { baseUrl: base } });
    const config = { tools, ...(options.signal === undefined ? {} : { abortSignal: options.signal }) };
    const request = { model: options.model ?? defaultModel, contents: prompt, config };
    if (!options.stream) return askedOf([await models.generateContent(request)]);
    const chunks: GenerateContentResponse[] = [];
    for await (const chunk of await models.generateContentStream(request)) {
      chunks.push(chunk);
      const text = textOf(chunk);
      if (text !== '' || chunk.functionCalls !== undefined) options.onPiece?.(text);
    }
    return askedOf(chunks);
  },
};

function textOf(chunk: GenerateContentResponse): string {
  const parts = chunk.candidates?.[0]?.content?.parts ?? [];
  return parts.map(({ text = '' }) => text).join('');
}

function askedOf(chunks: readonly GenerateContentResponse[]): Asked {
  const calls = chunks.flatMap((chunk): AskedCall[] =>
    (chunk.functionCalls ?? []).map(({ id, name = '', args }) => ({ id: id ?? null, name, args })),
  );
  const last = chunks.at(-1);
  const usage = last?.usageMetadata;
  return {
    text: chunks.map(textOf).join(''),
    calls,
    finish: last?.candidates?.[0]?.finishReason ?? null,
    usage: usageOf(usage?.promptTokenCount, usage?.candidatesTokenCount),
  };
}
