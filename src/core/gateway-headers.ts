/**
 * Whom a gateway is to ask in place of, or besides, the model that a request names, as its header fields have it: other models, a
 * set of them that the gateway keeps by an id, other servers
 * (https://portkey.ai/docs/api-reference/inference-api/headers). Pure.
 */
import { addressWithoutKeys, gatewayConfigs, readGatewayConfig } from './gateway-config.ts';
import { type RawHeaders, valuesOf } from './http-message.ts';

/** A server's address or a deployment each. */
const places: readonly string[] = [
  'x-portkey-custom-host',
  'x-portkey-huggingface-base-url',
  'x-portkey-azure-foundry-url',
  'x-portkey-azure-deployment-id',
  'helicone-target-url',
  'helicone-openai-api-base',
  // Which of the models that stand behind one endpoint answers: SageMaker's and Azure ML's
  // (https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpoint.html,
  // https://learn.microsoft.com/azure/machine-learning/how-to-deploy-online-endpoints).
  'x-amzn-sagemaker-target-model',
  'x-amzn-sagemaker-target-variant',
  'x-amzn-sagemaker-inference-component',
  'azureml-model-deployment',
];

/**
 * The model itself, where the body names none: Vercel's gateway, as the AI SDK asks it
 * (https://ai-sdk.dev/providers/ai-sdk-providers/ai-gateway).
 */
const models: readonly string[] = ['ai-language-model-id', 'ai-model-id'];

const namesMax = 64;

/** How all of their names begin: of most calls one look at each field says that there is none. */
const gatewayName = /^(x-portkey|helicone|ai|x-amzn-sagemaker|azureml)-/i;

function asksGateway(headers: RawHeaders): boolean {
  for (let at = 0; at < headers.length; at += 2) if (gatewayName.test(headers[at] ?? '')) return true;
  return false;
}

const nobody: GatewayAsks = { model: '', names: [], defects: [] };

export interface GatewayAsks {
  /** Who answers a body that names nobody; '' where no field says it. */
  readonly model: string;
  /** Models, ids and addresses, each once. */
  readonly names: readonly string[];
  readonly defects: readonly string[];
}

/** Everybody that the header fields of a request have asked. */
export function gatewayAsks(headers: RawHeaders): GatewayAsks {
  if (!asksGateway(headers)) return nobody;
  const names = new Set<string>();
  const defects: string[] = [];
  const hear = (name: string): void => {
    names.add(name);
  };
  for (const name of gatewayConfigs) {
    const areClear = valuesOf(headers, name).map((text) => readGatewayConfig(text, hear));
    if (areClear.includes(false)) defects.push(`the ${name} header says in no clear way whom to ask`);
  }
  for (const name of places)
    for (const text of valuesOf(headers, name)) if (text.trim() !== '') hear(addressWithoutKeys(text.trim()));
  const named = models.flatMap((name) => valuesOf(headers, name)).map((text) => text.trim());
  for (const name of named) if (name !== '') hear(name);
  if (names.size > namesMax) defects.push(`header fields name more than ${namesMax} to be asked`);
  return { model: named[0] ?? '', names: [...names].slice(0, namesMax), defects };
}

/** What tells whom a request asks by its header fields: another value, another request. */
export function gatewayFields(headers: RawHeaders): string {
  if (!asksGateway(headers)) return '';
  return JSON.stringify([...gatewayConfigs, ...places, ...models].map((name) => valuesOf(headers, name)));
}
