/** The description of this API, OpenAPI 3.1. */
import { openapiJson } from '../api/sidecar.ts';
import { type Route, sendJson } from '../http.ts';
import { describeApi } from '../openapi.ts';

/** @param others every other route of the server */
export function openapiRoutes(others: readonly Route[]): Route[] {
  /** Made when it is first asked for: most sidecars start and end without. */
  let description: ReturnType<typeof describeApi> | null = null;
  const route: Route = {
    method: 'GET',
    path: '/openapi.json',
    operation: openapiJson,
    handle: ({ res }) => {
      description ??= describeApi([...others, route]);
      sendJson(res, 200, description);
    },
  };
  return [route];
}
