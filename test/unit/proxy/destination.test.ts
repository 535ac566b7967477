/** Hosts as hostile clients write them, and which upstream a host means. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { protocolOf } from '../../../src/provider/index.ts';
import { findSite, nameOf, readDestination, readHost } from '../../../src/proxy/intercept/destination.ts';
import { refusalOf } from '../../../src/proxy/intercept/passage.ts';
import { sitesOf } from '../../../src/proxy/intercept/sites.ts';
import type { Upstream } from '../../../src/proxy/upstream.ts';

describe('a host', () => {
  test.each([
    ['API.OpenAI.com', 'api.openai.com'],
    ['api.openai.com.', 'api.openai.com'],
    ['localhost', 'localhost'],
    ['xn--bcher-kva.example', 'xn--bcher-kva.example'],
    ['_srv.example.com', '_srv.example.com'],
    ['192.0.2.1', '192.0.2.1'],
    ['[2001:DB8:0::5]', '2001:db8::5'],
    ['[::ffff:127.0.0.1]', '::ffff:7f00:1'],
  ])('%s has one form', (text, host) => {
    expect(readHost(text)).toBe(host);
  });

  test.each([
    '',
    '.',
    'a..b',
    'a b',
    'user@host',
    'host%00.test',
    'bücher.example',
    '-a.test',
    'a-.test',
    `${'a'.repeat(64)}.test`,
    `${'a.'.repeat(127)}test`,
    '127.1',
    '2130706433',
    '0x7f000001',
    '0x7f.1',
    '0177.0.0.1',
    '256.0.0.1',
    '1.2.3.4.5',
    '2001:db8::5',
    '[::1%eth0]',
    '[::1',
    '[api.openai.com]',
    'api.openai.com\r\nx',
  ])('%j is none', (text) => {
    expect(readHost(text)).toBeNull();
  });

  test('read again in its one form is the same', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.domain(), fc.ipV4()), (text) => {
        const host = readHost(text);
        if (host !== null) expect(readHost(host)).toBe(host);
      }),
    );
  });
});

describe('a destination', () => {
  test('has a port of its own, or the default one', () => {
    expect(readDestination('a.test:8443', 443)).toEqual({ host: 'a.test', port: 8443 });
    expect(readDestination('a.test', 443)).toEqual({ host: 'a.test', port: 443 });
    expect(readDestination('[::1]:1', null)).toEqual({ host: '::1', port: 1 });
  });

  test.each([
    'a.test',
    'a.test:',
    'a.test:0',
    'a.test:65536',
    'a.test:4 43',
    'a:b:1',
    'a@b:443',
    '//a:443',
    ':443',
  ])('%j is none where a port is needed', (text) => {
    expect(readDestination(text, null)).toBeNull();
  });

  test('is shown with brackets where there is an IPv6 address', () => {
    expect(nameOf({ host: '::1', port: 443 })).toBe('[::1]:443');
  });
});

const upstream = (name: string, origin: string, basePath = '', mount = '/'): Upstream => ({
  name,
  origin,
  basePath,
  mount,
  protocol: protocolOf('openai'),
});

describe('sites', () => {
  test('an upstream is found under its own host where its paths begin, and under others at the root', () => {
    const gateway = upstream('openai', 'https://gateway.test:8443', '/llm');
    const sites = sitesOf([{ upstream: gateway, hosts: ['API.openai.com'] }]);
    const own = findSite(sites, 'https', { host: 'gateway.test', port: 8443 });
    const other = findSite(sites, 'https', { host: 'api.openai.com', port: 443 });
    expect([own?.upstreams[0]?.mount, other?.upstreams[0]?.mount]).toEqual(['/llm', '/']);
  });

  test('an upstream over plain http is found over plain http alone', () => {
    const sites = sitesOf([{ upstream: upstream('ollama', 'http://127.0.0.1:11434'), hosts: [] }]);
    const destination = { host: '127.0.0.1', port: 11_434 };
    expect(findSite(sites, 'http', destination)).not.toBeNull();
    expect(findSite(sites, 'https', destination)).toBeNull();
  });

  test('upstreams of one host are told apart by where their paths begin', () => {
    const one = upstream('one', 'https://a.test', '/one');
    const two = upstream('two', 'https://a.test', '/two', '/two');
    expect(sitesOf([one, two].map((each) => ({ upstream: each, hosts: [] })))).toHaveLength(1);
    const same = upstream('same', 'https://a.test', '/one', '/same');
    expect(() => sitesOf([one, same].map((each) => ({ upstream: each, hosts: [] })))).toThrow(
      'upstreams.one and upstreams.same are both https://a.test:443/one.',
    );
  });

  test('an upstream may name its own host again, as the configuration shows it, and any host twice', () => {
    const own = upstream('openai', 'https://api.openai.com');
    const sites = sitesOf([{ upstream: own, hosts: ['api.openai.com', 'a.test', 'a.test:443'] }]);
    expect(sites.map(({ host, upstreams }) => [host, upstreams.length])).toEqual([
      ['api.openai.com', 1],
      ['a.test', 1],
    ]);
  });

  test('a host that resolvers read in different ways is refused at the start', () => {
    expect(() => sitesOf([{ upstream: upstream('a', 'https://a.test'), hosts: ['127.1'] }])).toThrow(
      expect.objectContaining({ code: 'config_invalid' }),
    );
  });
});

describe('a destination that is no upstream', () => {
  const sites = sitesOf([{ upstream: upstream('openai', 'https://api.openai.com'), hosts: [] }]);
  const at = (host: string, port = 443) => ({ host, port });

  test('is refused unless others pass', () => {
    expect(refusalOf(at('example.com'), 'refuse', sites)?.code).toBe('host_not_allowed');
    expect(refusalOf(at('example.com'), 'pass', sites)).toBeNull();
  });

  test.each([
    { what: 'an upstream’s host at another port', destination: at('api.openai.com', 8443) },
    { what: 'an upstream’s host over plain http', destination: at('api.openai.com', 80) },
    { what: 'an IPv4 address', destination: at('104.18.7.192') },
    { what: 'an IPv6 address', destination: at('2606:4700::6812:7c0') },
    { what: 'no host', destination: null },
  ])('does not pass where it is $what', ({ destination }) => {
    expect(refusalOf(destination, 'pass', sites)?.code).toBe('host_not_allowed');
  });
});
