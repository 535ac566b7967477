/** Which addresses a tunnel may lead to. */
import { describe, expect, test } from 'vitest';
import { isPublicAddress, publicAddressOf, requireNotClosed } from '../../../src/proxy/intercept/address.ts';

test.each([
  '127.0.0.1',
  '127.255.255.254',
  '0.0.0.0',
  '10.1.2.3',
  '100.64.0.1',
  '169.254.169.254',
  '168.63.129.16',
  '172.31.255.255',
  '192.168.1.1',
  '198.19.0.1',
  '224.0.0.1',
  '255.255.255.255',
  '::',
  '::1',
  '::ffff:127.0.0.1',
  '::ffff:8.8.8.8',
  '64:ff9b::7f00:1',
  'fe80::1',
  'fd00:ec2::254',
  'ff02::1',
  '2002:7f00:1::',
  '2001:db8::1',
  'not an address',
])('%s is closed', (address) => {
  expect(isPublicAddress(address)).toBe(false);
});

test.each(['8.8.8.8', '104.18.7.192', '172.32.0.1', '2606:4700::6812:7c0', '2a00:1450::1'])(
  '%s is open',
  (address) => {
    expect(isPublicAddress(address)).toBe(true);
  },
);

test('one closed address among those of a name closes it, whatever comes first', async () => {
  const lookUp = async (): Promise<readonly string[]> => ['8.8.8.8', '127.0.0.1'];
  await expect(publicAddressOf('rebind.test', lookUp)).rejects.toMatchObject({ code: 'host_not_allowed' });
});

test('the address that was looked at is the one to connect to', async () => {
  expect(await publicAddressOf('a.test', async () => ['8.8.8.8', '8.8.4.4'])).toBe('8.8.8.8');
});

describe('a name that the egress proxy looks up', () => {
  test('is refused where it leads to a closed address from here', async () => {
    const lookUp = async (): Promise<readonly string[]> => ['10.0.0.1'];
    await expect(requireNotClosed('inside.test', lookUp)).rejects.toMatchObject({ code: 'host_not_allowed' });
  });

  test('is the proxy’s to know where nothing is known of it here', async () => {
    const lookUp = (): Promise<readonly string[]> => Promise.reject(new Error('ENOTFOUND'));
    await expect(requireNotClosed('provider.test', lookUp)).resolves.toBeUndefined();
  });
});

test('a name without an address cannot be reached', async () => {
  const fails = async (): Promise<readonly string[]> => Promise.reject(new Error('ENOTFOUND'));
  await expect(publicAddressOf('a.test', fails)).rejects.toMatchObject({ code: 'upstream_unreachable' });
  await expect(publicAddressOf('a.test', async () => [])).rejects.toMatchObject({
    code: 'upstream_unreachable',
  });
});
