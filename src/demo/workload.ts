/** The demonstration's workload: the official `openai` SDK, told nothing but a base URL. */
import { HoldpointError } from '../core/errors.ts';

export interface WorkloadAnswer {
  readonly text: string;
  /** `name(arguments)`, or '' when the model asked for no tool. */
  readonly toolCall: string;
  readonly decisionId: string;
}

export interface Workload {
  ask(prompt: string): Promise<WorkloadAnswer>;
}

const text = { type: 'string' } as const;
const tools = [
  tool('transfer_funds', 'Moves money to an account.', {
    amount: { type: 'number' },
    currency: text,
    to: text,
  }),
  tool('delete_records', 'Deletes the records of a customer.', { customer: text }),
];

function tool(name: string, description: string, properties: Record<string, { type: string }>) {
  return {
    type: 'function' as const,
    function: { name, description, parameters: { type: 'object', properties } },
  };
}

/** Builds the workload; the SDK is a development dependency, so the built image cannot run the demonstration. */
export async function createWorkload(baseURL: string): Promise<Workload> {
  const { default: OpenAI } = await import('openai').catch((error: unknown) => {
    throw new HoldpointError(
      'usage',
      'The demonstration needs the openai package.',
      'Run it in a checkout after npm ci.',
      error,
    );
  });
  const client = new OpenAI({ baseURL, apiKey: 'not-needed-for-the-demo' });
  return {
    ask: async (prompt) => {
      const call = client.chat.completions.create({
        model: 'gpt-4.1',
        messages: [{ role: 'user', content: prompt }],
        tools,
      });
      const { data, response } = await call.withResponse();
      const message = data.choices[0]?.message;
      const first = message?.tool_calls?.[0];
      return {
        text: message?.content ?? '',
        toolCall: first?.type === 'function' ? `${first.function.name}(${first.function.arguments})` : '',
        decisionId: response.headers.get('holdpoint-decision') ?? '',
      };
    },
  };
}
