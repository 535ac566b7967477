/**
 * Which operation of OpenAI's API a method and path mean (https://platform.openai.com/docs/api-reference). Any
 * prefix is allowed, as compatible servers and Azure mount the API anywhere, so routes are told by their end.
 * What is not listed neither takes words in nor gives any out: it passes unread. Pure.
 */
import { remembered } from '../../core/remembered.ts';
import { isHosted } from '../hosts.ts';
import type { OperationName } from '../protocol.ts';
import { routeSegments } from '../route.ts';
import { type Route, routes, type Use } from './route-table.ts';
import { routesElsewhere } from './routes-elsewhere.ts';

/** Text Generation Inference, and endpoints of Hugging Face that run it, complete a text at `/` itself. */
const atRoot: OperationName = 'served.generate';

const allRoutes: readonly Route[] = [...routesElsewhere, ...routes];

/** KServe's first protocol asks a model by its name (https://kserve.github.io/website/docs/concepts/architecture/data-plane/v1-protocol). */
const predicting = /:(?:predict|explain)$/;

const methodsWithoutAnswer: ReadonlySet<string> = new Set(['DELETE', 'HEAD', 'OPTIONS']);

function fits(segments: readonly string[], { tail }: Route): boolean {
  const offset = segments.length - tail.length;
  return offset >= 0 && tail.every((name, i) => name === '*' || name === segments[offset + i]);
}

/** What a method and path mean; `unknown` for what is passed on unread. */
export function openaiOperationOf(method: string, path: string): OperationName {
  const verb = method.trim().toUpperCase();
  if (methodsWithoutAnswer.has(verb)) return 'unknown';
  return verb === 'GET' ? got(path) : sent(path);
}

const got = remembered((path) => operationAt('get', path));
const sent = remembered((path) => operationAt('send', path));

function operationAt(use: Use, path: string): OperationName {
  const segments = routeSegments(path);
  if (segments.length === 0) return use === 'send' ? atRoot : 'unknown';
  const found = allRoutes.find((one) => (one.use === 'any' || one.use === use) && fits(segments, one));
  const predicts = use === 'send' && segments.at(-2) === 'models' && predicting.test(segments.at(-1) ?? '');
  const known = found?.operation ?? (predicts ? 'served.generate' : 'unknown');
  // What is served at a route of OpenAI's below a host is read as that; an agent's name is no route.
  const isOwn = known === 'unknown' || known === 'agents';
  return isOwn && use === 'send' && isHosted(segments) ? 'hosted.model' : known;
}
