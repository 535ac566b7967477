/** The origin under which a browser came: what its cookies and its Origin are compared with. */
import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { expect, it } from 'vitest';
import { openOrigins } from '../../../src/control/sign-in/origin.ts';

function originOf(publicUrl: string | null, host: string): string {
  const origins = openOrigins(publicUrl);
  origins.bind('http://127.0.0.1:8788');
  const req = new IncomingMessage(new Socket());
  req.headers.host = host;
  return origins.of(req).origin;
}

it('is the public one for who comes by its name, in whatever case', () => {
  expect(originOf('https://holdpoint.example', 'Holdpoint.EXAMPLE')).toBe('https://holdpoint.example');
});

it('is the socket’s for who comes by another name', () => {
  expect(originOf('https://holdpoint.example', 'localhost:8788')).toBe('http://localhost:8788');
});

it('is the socket’s own where the Host is none that a URL can have', () => {
  expect(originOf(null, 'localhost:99999')).toBe('http://127.0.0.1:8788');
});
