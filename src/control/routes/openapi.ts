/** The description of this API, OpenAPI 3.1. */
import { type Route, sendJson } from '../http.ts';
import { openapi } from '../openapi.ts';

export function openapiRoutes(): Route[] {
  return [
    {
      method: 'GET',
      path: '/openapi.json',
      needsToken: false,
      handle: ({ res }) => sendJson(res, 200, openapi),
    },
  ];
}
