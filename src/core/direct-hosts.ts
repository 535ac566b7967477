/**
 * Which hosts are reached without the egress proxy: this machine always, and those that the configuration names, in the
 * forms that NO_PROXY has (https://everything.curl.dev/usingcurl/proxies/env.html). Names are compared, never looked up.
 */
import { BlockList, isIP } from 'node:net';

type Form =
  | { readonly kind: 'name'; readonly name: string }
  | { readonly kind: 'range'; readonly network: string; readonly prefix: number };

const bitsOf = { 4: 32, 6: 128 } as const;
const name = /^\.?(?:[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?)(?:\.[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?)*$/;

function familyOf(address: string): 4 | 6 | null {
  const family = isIP(address);
  return family === 4 || family === 6 ? family : null;
}

function nameOf(family: 4 | 6): 'ipv4' | 'ipv6' {
  return family === 4 ? 'ipv4' : 'ipv6';
}

function formOf(text: string): Form | null {
  const [network = '', prefix, ...rest] = text.split('/');
  const family = familyOf(network);
  if (family !== null && rest.length === 0) {
    const bits = prefix === undefined ? bitsOf[family] : Number(prefix);
    const isLength = prefix === undefined || /^\d{1,3}$/.test(prefix);
    return isLength && bits <= bitsOf[family] ? { kind: 'range', network, prefix: bits } : null;
  }
  const lower = text.toLowerCase();
  // A name whose last label is a number is read as an address by some, and would be another host to them.
  if (!name.test(lower) || /(?:^|\.)\d+$/.test(lower)) return null;
  return { kind: 'name', name: lower.replace(/^\./, '') };
}

/** Whether `text` is a name, an address, or a range of addresses such as `10.0.0.0/8`. */
export function isHostForm(text: string): boolean {
  return formOf(text) !== null;
}

/** The host of a URL or of a socket: without the brackets of IPv6 and the dot that ends a name. */
function plain(host: string): string {
  return host
    .toLowerCase()
    .replace(/^\[|\]$/g, '')
    .replace(/\.$/, '');
}

/** True for hosts that `forms` name: a name means also what is below it. What is no form counts for nothing. */
export function directHosts(forms: readonly string[]): (host: string) => boolean {
  const names = ['localhost'];
  const ranges = new BlockList();
  ranges.addSubnet('127.0.0.0', 8, 'ipv4');
  ranges.addAddress('::1', 'ipv6');
  for (const text of forms) {
    const form = formOf(text);
    if (form?.kind === 'name') names.push(form.name);
    const family = form?.kind === 'range' ? familyOf(form.network) : null;
    if (form?.kind === 'range' && family !== null)
      ranges.addSubnet(form.network, form.prefix, nameOf(family));
  }
  return (host) => {
    const asked = plain(host);
    const family = familyOf(asked);
    if (family !== null) return ranges.check(asked, nameOf(family));
    return names.some((known) => asked === known || asked.endsWith(`.${known}`));
  };
}
