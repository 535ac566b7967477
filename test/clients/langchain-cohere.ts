/** LangChain's chat model for Cohere, which asks by the first version of that API. */
import { createRequire } from 'node:module';
import { ChatCohere, type ChatCohereInput } from '@langchain/cohere';
import { z } from 'zod';
import { functionTool, key, maxRetriesOf } from './client.ts';
import { langchain } from './langchain.ts';

interface CohereOptions {
  readonly token: string;
  readonly environment: string;
  readonly maxRetries?: number;
}

/** The `cohere-ai` that LangChain depends on, another version than the one that has a row of its own. */
const { CohereClient } = z
  .object({
    CohereClient: z.custom<new (options: CohereOptions) => NonNullable<ChatCohereInput['client']>>(
      (value) => typeof value === 'function',
    ),
  })
  .parse(createRequire(import.meta.resolve('@langchain/cohere'))('cohere-ai'));

export const langchainCohere = langchain({
  packageName: '@langchain/cohere',
  name: 'ChatCohere, chat v1',
  givenIds: false,
  streamedCalls: false,
  protocol: 'cohere',
  model: 'command-r-plus',
  retries: true,
  denial: 'ForbiddenError',
  // An address that is not Cohere's comes with a client of its SDK.
  make: (base, model, { retries }) =>
    new ChatCohere({
      model,
      client: new CohereClient({ token: key, environment: base, ...maxRetriesOf(retries) }),
      ...maxRetriesOf(retries),
      // A tool of its own: the package writes into the definitions that it is given.
    }).bindTools([structuredClone(functionTool)]),
});
