/**
 * Interactions as a dialect of Google's families (https://ai.google.dev/api/interactions-api). Their SDKs read
 * events as the standard says, comments included. Pure.
 */

import { openEventStream } from '../reading/stream.ts';
import { streamFormOf } from '../reading/stream-form.ts';
import { readInteraction, readInteractionRequest } from './interactions.ts';
import { amendInteraction } from './interactions-amend.ts';
import { createInteractionStreamReader } from './interactions-stream.ts';
import type { Dialect } from './protocol.ts';

export const interactions: Dialect = {
  readsAnswer: () => true,
  readRequest: (_operation, body) => readInteractionRequest(body),
  readResponse: (_operation, status, body) => readInteraction(status, body),
  streamFormOf: (_operation, contentType) => streamFormOf(contentType),
  openStream: (_operation, status) => openEventStream(createInteractionStreamReader(status)),
  errorEvent(_operation, _form, code, message) {
    const error = { code, message, status: 'PERMISSION_DENIED', type: 'permission_error' };
    return `event: error\ndata: ${JSON.stringify({ error, event_type: 'error' })}\n\n`;
  },
  keepAliveEvent: () => null,
  amendResponse: (_operation, original, form, amendment) =>
    amendInteraction(original, form !== null, amendment),
};
