/** Which hosts are reached without the egress proxy. */
import { describe, expect, it } from 'vitest';
import { directHosts, isHostForm } from '../../../src/core/direct-hosts.ts';

describe('hosts that are reached directly', () => {
  it.each(['localhost', 'api.localhost', 'LOCALHOST.', '127.0.0.1', '127.8.9.10', '::1', '[::1]'])(
    'are this machine, whatever is configured: %s',
    (host) => {
      expect(directHosts([])(host)).toBe(true);
    },
  );

  it.each([
    ['example.com', 'example.com', true],
    ['example.com', 'api.example.com', true],
    ['.example.com', 'api.example.com', true],
    ['.example.com', 'example.com', true],
    ['Example.COM', 'API.example.com.', true],
    ['example.com', 'notexample.com', false],
    ['example.com', 'example.com.evil.test', false],
    ['api.example.com', 'example.com', false],
  ])('a name means itself and what is below it: %s, %s', (form, host, isDirect) => {
    expect(directHosts([form])(host)).toBe(isDirect);
  });

  it.each([
    ['10.0.0.0/8', '10.200.3.4', true],
    ['10.0.0.0/8', '11.0.0.1', false],
    ['192.0.2.7', '192.0.2.7', true],
    ['192.0.2.7', '192.0.2.70', false],
    ['fd00::/8', '[fd12::1]', true],
    ['fd00::/8', 'fe80::1', false],
    ['0.0.0.0/0', '8.8.8.8', true],
    ['0.0.0.0/0', '2001:db8::1', false],
    // A name is not looked up: what it leads to is the proxy's to find out.
    ['0.0.0.0/0', 'example.com', false],
  ])('a range means addresses: %s, %s', (form, host, isDirect) => {
    expect(directHosts([form])(host)).toBe(isDirect);
  });
});

it.each(['example.com', '.svc.cluster.local', 'a_b', '10.1.2.3', '10.0.0.0/8', '::1', 'fd00::/8'])(
  '%s says what it means',
  (text) => expect(isHostForm(text)).toBe(true),
);

it.each([
  ...['', '.', '*', '*.example.com', 'example..com', 'https://example.com', 'example.com:443', 'a b'],
  ...[
    '10.0.0.0/33',
    '10.0.0.0/',
    '10.0.0.0/8/8',
    '10.0.0.0/-1',
    'fd00::/129',
    '10.0.0',
    '1.2.3.4.5',
    '[::1]',
  ],
])('%j says nothing that can be meant', (text) => expect(isHostForm(text)).toBe(false));
