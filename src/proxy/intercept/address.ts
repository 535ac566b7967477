/**
 * Which addresses a tunnel may lead to. Those of this machine, its networks and its cloud's metadata service are
 * refused: the sidecar may reach what the workload must not. Pure but for the look-up.
 */
import { lookup } from 'node:dns/promises';
import { BlockList, isIP } from 'node:net';
import { HoldpointError, messageOf } from '../../core/errors.ts';

/** IANA's special-purpose registries (RFC 6890): what is not globally reachable, and what wraps another address. */
const closedV4 = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '168.63.129.16/32',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.31.196.0/24',
  '192.52.193.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '192.175.48.0/24',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/3',
];
/** Beyond these, only 2000::/3 is given out as global unicast. */
const closedV6 = ['2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20'];

const closed = new BlockList();
for (const [family, ranges] of [['ipv4', closedV4] as const, ['ipv6', closedV6] as const]) {
  for (const range of ranges) {
    const [network = '', prefix = ''] = range.split('/');
    closed.addSubnet(network, Number(prefix), family);
  }
}
const globalV6 = new BlockList();
globalV6.addSubnet('2000::', 3, 'ipv6');

/** True for an address of the public internet. */
export function isPublicAddress(address: string): boolean {
  if (isIP(address) === 4) return !closed.check(address, 'ipv4');
  return isIP(address) === 6 && globalV6.check(address, 'ipv6') && !closed.check(address, 'ipv6');
}

export type LookUp = (host: string) => Promise<readonly string[]>;

export const systemLookUp: LookUp = async (host) =>
  (await lookup(host, { all: true, verbatim: true })).map(({ address }) => address);

/**
 * An address of a name, to connect to as it is: looked up twice, a name can lead elsewhere the second time. Throws
 * `host_not_allowed` when any of its addresses is closed, `upstream_unreachable` when there is none.
 */
export async function publicAddressOf(host: string, lookUp: LookUp): Promise<string> {
  let addresses: readonly string[];
  try {
    addresses = isIP(host) === 0 ? await lookUp(host) : [host];
  } catch (error) {
    throw new HoldpointError(
      'upstream_unreachable',
      `${host} has no address: ${messageOf(error)}.`,
      'Check the name.',
      error,
    );
  }
  const [first] = addresses;
  if (first === undefined) throw new HoldpointError('upstream_unreachable', `${host} has no address.`);
  if (addresses.every(isPublicAddress)) return first;
  throw new HoldpointError(
    'host_not_allowed',
    `${host} leads to an address that is not public.`,
    'Reach it without the proxy (NO_PROXY), or configure it as an upstream.',
  );
}

/**
 * Of a name that the egress proxy looks up: throws `host_not_allowed` where it leads to a closed address as far as can be
 * seen from here. Where only the proxy knows names, what it opens is its to say.
 */
export async function requireNotClosed(host: string, lookUp: LookUp): Promise<void> {
  try {
    await publicAddressOf(host, lookUp);
  } catch (error) {
    if (!(error instanceof HoldpointError) || error.code !== 'upstream_unreachable') throw error;
  }
}
