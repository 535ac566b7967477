/** The part of the configuration file about providers: where each is, which API it speaks, whose key goes there. */
import { z } from 'zod';
import { protocolNames } from '../core/protocol-name.ts';
import { hasUser } from './address.ts';
import { providerUrls } from './presets.ts';
import { secretFile } from './secret.ts';

/** Frame or route a call, belong to one connection, or are the sidecar's own: a key in them goes nowhere or breaks the call. */
const notForKeys =
  /^(host|connection|keep-alive|te|trailer|transfer-encoding|upgrade|expect|accept-encoding|(proxy|content|holdpoint)-.*)$/;

function hasNoDots(path: string): boolean {
  return !/\/\.\.?(\/|$)/.test(path);
}
const noDots = 'expected a path without the steps . and .., which no call has';

function isPort(text: string | undefined): boolean {
  return text === undefined || (Number(text) >= 1 && Number(text) <= 65_535);
}

/** What else a URL may have would not be sent. */
function isPlaceAlone(text: string): boolean {
  if (!URL.canParse(text)) return true;
  const { search, hash } = new URL(text);
  return !hasUser(text) && search === '' && hash === '';
}

const upstreamFields = z.strictObject({
  url: z
    .url({ protocol: /^https?$/ })
    .refine(
      isPlaceAlone,
      'expected scheme, host and path alone: user, query and fragment are not sent, and a key has its place in key',
    )
    .optional()
    .describe('Where the provider is; http or https. The address of the family’s own provider when absent.'),
  protocol: z.enum(protocolNames).describe('Which API it speaks.'),
  mount: z
    .string()
    .regex(/^\/$|^(\/[A-Za-z0-9._-]+)+$/, 'expected a path such as / or /anthropic')
    .refine(hasNoDots, noDots)
    .default('/')
    .describe('The path prefix on proxy.listen under which workloads reach it; the longest that fits wins.'),
  tunnel: z
    .array(
      z
        .string()
        .max(1024)
        .regex(/^\/[^?#\s]*$/, 'expected a path such as /v1/live')
        .refine(hasNoDots, noDots),
    )
    .max(32)
    .default([])
    .describe(
      'Paths below which WebSockets pass unread and unrecorded, the ledger saying so; any other is recorded where its API is known, and refused where not.',
    ),
  hosts: z
    .array(
      z
        .string()
        .max(259)
        .regex(/^([A-Za-z0-9._-]+|\[[0-9a-fA-F:]+\])(:\d{1,5})?$/, 'expected a host such as api.openai.com')
        .refine((text) => isPort(/:(\d+)$/.exec(text)?.[1]), 'expected a port of 1 to 65535'),
    )
    .max(32)
    .default([])
    .describe(
      'Further hosts that workloads call and that mean this upstream, for proxy.forward and proxy.transparent; its url’s own always does.',
    ),
  key: z
    .strictObject({
      env: z
        .string()
        .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'expected the name of an environment variable')
        .optional()
        .describe('The variable of the sidecar’s environment that holds the key.'),
      file: secretFile.optional().describe('The file that holds the key; read again when it changes.'),
      header: z
        .string()
        .regex(/^[a-z0-9-]+$/, 'expected a header’s name in lower case')
        .refine((name) => !notForKeys.test(name), 'expected a header that may carry a key, such as x-api-key')
        .optional()
        .describe(
          'The header that carries it; the family’s own when absent. authorization carries a bearer token.',
        ),
    })
    .refine(
      ({ env, file }) => (env === undefined) !== (file === undefined),
      'expected either env or file, and never the key itself',
    )
    .optional()
    .describe('The provider’s key, held by the sidecar: it takes the place of what workloads send.'),
  sign: z
    .strictObject({
      service: z
        .string()
        .regex(/^[a-z0-9-]+$/, 'expected the name of a service such as bedrock')
        .describe('The name under which Amazon’s service takes signatures.'),
      region: z
        .string()
        .regex(/^[a-z0-9-]+$/, 'expected a region such as eu-central-1')
        .describe('The region of the url.'),
    })
    .optional()
    .describe(
      'Signs each request for Amazon with the sidecar’s own AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN, or those of the AWS_PROFILE (default) in AWS_SHARED_CREDENTIALS_FILE, which is read again when it changes, in place of the workload’s signature.',
    ),
  keepHost: z
    .boolean()
    .optional()
    .describe(
      'Sends the Host that the workload sent, for signatures that workloads made for the provider’s own host, over HTTP/1.1.',
    ),
});

const upstream = upstreamFields
  .refine(
    ({ url, protocol }) => url !== undefined || providerUrls[protocol] !== null,
    'expected a url: this family has no address that serves everybody',
  )
  .refine(
    ({ sign, key, keepHost }) => sign === undefined || (key === undefined && keepHost !== true),
    'expected sign alone: with key or keepHost the workload’s signature would not be replaced as a whole',
  );

export const upstreamsSchema = z
  .record(
    z.string().regex(/^[a-z][a-z0-9_]{0,31}$/, 'expected a name of lower-case letters, digits and _'),
    upstream,
  )
  .refine((all) => Object.keys(all).length > 0, 'expected at least one upstream')
  .refine(
    (all) => new Set(Object.values(all).map(({ mount }) => mount)).size === Object.keys(all).length,
    'expected a different mount for each upstream',
  )
  .prefault({
    openai: { url: 'https://api.openai.com', protocol: 'openai', mount: '/' },
    anthropic: { url: 'https://api.anthropic.com', protocol: 'anthropic', mount: '/anthropic' },
  });
