/**
 * The Gemini family at Google AI behind one `Protocol` (https://ai.google.dev/api), its OpenAI-compatible
 * endpoint included. Pure.
 */

import { openai } from '../openai/family.ts';
import type { OperationName } from '../protocol.ts';
import { asking, askingOperation, isAsking } from './asking.ts';
import { content, isContentOperation } from './content.ts';
import { interactions } from './interactions-dialect.ts';
import { managed } from './managed.ts';
import { googleProtocol } from './protocol.ts';
import {
  contentOperation,
  googleRoute,
  isBatch,
  isDownload,
  isInteraction,
  isWithoutAnswer,
  makesToken,
  managedOperation,
  speaksOpenAi,
  storesContents,
} from './route.ts';

/** Any prefix is allowed, as gateways mount the API anywhere. */
function operationOf(method: string, path: string): OperationName {
  if (isWithoutAnswer(method)) return 'unknown';
  const route = googleRoute(path);
  const operation = contentOperation(route);
  if (operation !== null) return operation;
  if (storesContents(method, route)) return 'cached_contents';
  if (makesToken(method, route)) return 'live.tokens';
  const asked = askingOperation(method, route);
  if (asked !== null) return asked;
  if (isInteraction(method, route)) return 'interactions';
  if (isBatch(method, route) && !speaksOpenAi(route)) return 'batches.status';
  if (isDownload(method, route)) return 'batches.results';
  if (speaksOpenAi(route)) return openai.operationOf(method, path);
  return managedOperation(method, route) ?? 'unknown';
}

export const gemini = googleProtocol('gemini', operationOf, (operation) => {
  if (isContentOperation(operation)) return content;
  if (operation === 'interactions') return interactions;
  if (isAsking(operation)) return asking;
  return operation === 'agents' || operation === 'decisions' ? managed : openai;
});
