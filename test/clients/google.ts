/** The `@google/genai` SDK: `generateContent` at Google AI and at Vertex AI. */
import { type GenerateContentResponse, GoogleGenAI } from '@google/genai';
import { OAuth2Client } from 'google-auth-library';
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

const vertexProject = 'the-workloads-project';
const vertexLocation = 'europe-west4';

/**
 * Google's own OAuth client, given the access token that a workload got from elsewhere: a documented way to sign
 * in, and the one that asks no token server. Everything after the token is as in production.
 */
function vertexSignIn(): OAuth2Client {
  const authClient = new OAuth2Client();
  authClient.setCredentials({ access_token: 'ya29.the-workloads-own-token' });
  return authClient;
}

const defaultModel = 'gemini-2.5-flash';
const tools = [
  {
    functionDeclarations: [
      { name: toolName, description: toolDescription, parametersJsonSchema: parameters },
    ],
  },
];

const common = {
  packages: ['@google/genai'],
  model: defaultModel,
  retries: false,
  denial: 'ApiError',
} as const;

function askOf(clientAt: (base: string) => GoogleGenAI): Client['ask'] {
  return async (base, prompt, options) => {
    const { models } = clientAt(base);
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
  };
}

export const googleGenAi: Client = {
  ...common,
  name: 'generateContent',
  protocol: 'gemini',
  ask: askOf((base) => new GoogleGenAI({ apiKey: key, httpOptions: { baseUrl: base } })),
};

export const googleVertex: Client = {
  ...common,
  name: 'Vertex AI, generateContent',
  protocol: 'vertex',
  ask: askOf(
    (base) =>
      new GoogleGenAI({
        vertexai: true,
        project: vertexProject,
        location: vertexLocation,
        googleAuthOptions: { authClient: vertexSignIn() },
        httpOptions: { baseUrl: base },
      }),
  ),
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
