/**
 * Header fields that hold who a gateway is to ask, as one JSON text or the id of one that the gateway keeps, and keys
 * beside that (https://portkey.ai/docs/product/ai-gateway/configs,
 * https://docs.helicone.ai/helicone-headers/header-directory). Pure.
 */

/** In lower case. */
export const gatewayConfigs: readonly string[] = ['x-portkey-config', 'helicone-fallbacks'];

const storedId = /^[\w.:@/-]{1,256}$/;
const address = /^https?:\/\//i;
/** Members that say who is asked, in lower case and without what parts their words. */
const namingMembers =
  /^(model|models|modelname|azuremodelname|deploymentid|azuredeploymentid|customhost|targeturl|huggingfacebaseurl|azurefoundryurl)$/;

/** The text without what an address may carry as a key. */
export function addressWithoutKeys(text: string): string {
  if (!address.test(text)) return text;
  if (!URL.canParse(text)) return 'an address that cannot be read';
  const { origin, pathname } = new URL(text);
  return origin + pathname;
}

/** The value with every text that names nobody as `other` has it; `hear` is told of those that do. */
function mapNames(value: unknown, member: string, hear: (name: string) => void, other: string): unknown {
  if (Array.isArray(value)) return value.map((element: unknown) => mapNames(element, member, hear, other));
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value).map(([key, inner]) => [key, mapNames(inner, key, hear, other)]);
    return Object.fromEntries(entries);
  }
  if (typeof value !== 'string') return value;
  // A list of names alone has no members.
  const isNaming = member === '' || namingMembers.test(member.toLowerCase().replaceAll(/[_-]/g, ''));
  if (!isNaming && !address.test(value)) return other;
  if (value !== '') hear(addressWithoutKeys(value));
  return addressWithoutKeys(value);
}

/** Far more than anybody writes, and few enough that one within the other can be gone through. */
const openingsMax = 512;

/** @param text without the space around it, which RFC 9110 does not count as part of a field's value (5.5) */
function parsed(text: string): { readonly value: unknown } | null {
  if ((text.match(/[[{]/g)?.length ?? 0) > openingsMax) return null;
  try {
    return { value: JSON.parse(text) };
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

function isWritten(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

/** Tells `hear` of everybody whom such a value names; false where that is not clear. */
export function readGatewayConfig(value: string, hear: (name: string) => void): boolean {
  const text = value.trim();
  const read = parsed(text);
  if (read !== null && isWritten(read.value)) {
    mapNames(read.value, '', hear, '');
    return true;
  }
  if (storedId.test(text)) hear(text);
  return text === '' || storedId.test(text);
}

/** Such a value as it is stored: who is asked, and `mark` for every other text. */
export function gatewayConfigWithout(value: string, mark: string): string {
  const text = value.trim();
  const read = parsed(text);
  if (read !== null && isWritten(read.value))
    return JSON.stringify(mapNames(read.value, '', () => undefined, mark));
  return storedId.test(text) ? value : mark;
}
