/** The configuration file: its shape, its bounds and its defaults. The published JSON Schema is made from this. */
import { z } from 'zod';
import { protocolNames } from '../core/protocol-name.ts';
import { address } from './address.ts';
import { anchorsSchema, witnessSchema } from './anchors.ts';
import { controlSchema } from './control.ts';
import { notifySchema } from './notify.ts';
import { providerUrls } from './presets.ts';

const bytes = (fallback: number, max = 1024 ** 3) => z.int().min(1024).max(max).default(fallback);
const ms = (fallback: number) =>
  z
    .int()
    .min(100)
    .max(24 * 3_600_000)
    .default(fallback);

const text = z.string().min(1).max(256);
const ruleId = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,63}$/, 'expected an id of lower-case letters, digits and -');
const days = z.int().min(0).max(36_525);
const requestMatch = z
  .strictObject({
    model: text.optional(),
    operation: text.optional(),
    provider: text.optional(),
    workload: text.optional(),
  })
  .default({})
  .describe('Decisions whose request has all of these; any decision when empty.');

const retentionRule = z
  .strictObject({
    id: ruleId.describe('Named by the entries that it causes.'),
    match: requestMatch,
    keepDays: days.min(1).optional().describe('Content older than this is erased on schedule.'),
    minimumDays: days.optional().describe('Content younger than this is not erased, whoever asks.'),
  })
  .refine(
    ({ keepDays, minimumDays }) => keepDays !== undefined || minimumDays !== undefined,
    'expected keepDays, minimumDays or both',
  )
  .refine(
    ({ keepDays, minimumDays }) => keepDays === undefined || keepDays >= (minimumDays ?? 0),
    'expected keepDays of at least minimumDays',
  );

const exemption = z.strictObject({
  id: ruleId.describe('Named by the entries that refuse an erasure because of it.'),
  match: requestMatch,
  bases: z
    .array(
      z.enum([
        'no_longer_needed',
        'consent_withdrawn',
        'objection',
        'unlawful',
        'legal_obligation',
        'child_consent',
        'retention',
      ]),
    )
    .max(7)
    .optional()
    .describe('Only for erasures on these bases; for all when absent.'),
});

const keyCommand = z.strictObject({
  command: z
    .array(z.string().min(1))
    .min(1)
    .max(64)
    .describe(
      'A program and its arguments, run without a shell for each request; see src/store/key-command.ts.',
    ),
  timeoutMs: z
    .int()
    .min(100)
    .max(60_000)
    .default(5_000)
    .describe('How long it may take to answer before the ledger is taken for unavailable.'),
});
const keyPlace = (what: string) =>
  z.union([z.strictObject({ file: z.string().min(1).describe(what) }), keyCommand]).optional();

const upstreamFields = z.strictObject({
  url: z
    .url({ protocol: /^https?$/ })
    .optional()
    .describe('Where the provider is; http or https. The address of the family’s own provider when absent.'),
  protocol: z.enum(protocolNames).describe('Which API it speaks.'),
  mount: z
    .string()
    .regex(/^\/$|^(\/[A-Za-z0-9._-]+)+$/, 'expected a path such as / or /anthropic')
    .default('/')
    .describe('The path prefix on proxy.listen under which workloads reach it; the longest that fits wins.'),
  tunnel: z
    .array(
      z
        .string()
        .max(1024)
        .regex(/^\/[^?#\s]*$/, 'expected a path such as /v1/live'),
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
        .regex(/^([A-Za-z0-9._-]+|\[[0-9a-fA-F:]+\])(:\d{1,5})?$/, 'expected a host such as api.openai.com'),
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
      file: z.string().min(1).optional().describe('The file that holds the key; read again when it changes.'),
      header: z
        .string()
        .regex(/^[a-z0-9-]+$/, 'expected a header’s name in lower case')
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

export const configSchema = z.strictObject({
  proxy: z
    .strictObject({
      listen: address.default('127.0.0.1:8787').describe('The data plane.'),
      forward: z
        .strictObject({
          listen: address
            .default('127.0.0.1:8789')
            .describe('The forward proxy, for workloads whose base URL is fixed: their HTTPS_PROXY.'),
        })
        .optional(),
      transparent: z
        .strictObject({
          listen: address
            .default('127.0.0.1:8790')
            .describe('Where the kernel redirects the pod’s connections to port 443.'),
        })
        .optional(),
      others: z
        .enum(['refuse', 'pass'])
        .default('refuse')
        .describe(
          'What becomes of hosts that are no upstream, on proxy.forward and proxy.transparent: refused, or let through unread to public addresses. Both are recorded.',
        ),
      caFile: z
        .string()
        .min(1)
        .optional()
        .describe(
          'The certificate that workloads must trust for proxy.forward and proxy.transparent; <data.dir>/ca.pem when absent. Its key is ca.key in keys.dir.',
        ),
    })
    .prefault({}),
  control: controlSchema,
  data: z
    .strictObject({
      dir: z.string().min(1).default('./data').describe('Ledger, index, high-water mark and token hashes.'),
      durability: z
        .enum(['strict', 'relaxed'])
        .default('strict')
        .describe('strict waits for fsync; relaxed does not, and every entry and the verdict say so.'),
    })
    .prefault({}),
  keys: z
    .strictObject({
      dir: z
        .string()
        .min(1)
        .optional()
        .describe('signing.pem, kek.key and ca.key; <data.dir>/keys when absent.'),
      signing: keyPlace(
        'An Ed25519 private key in PEM, such as one of a mounted secret; never made here.',
      ).describe('The key that signs, when it is not signing.pem in keys.dir.'),
      nextSigning: keyPlace('The Ed25519 private key to rotate to, in PEM.').describe(
        'The key to rotate to at the next start; the one before must still be there then.',
      ),
      escrow: z
        .string()
        .regex(/^[A-Za-z0-9+/]{43}=$/, 'expected 32 bytes in base64, from holdpoint keys escrow-new')
        .optional()
        .describe(
          'The public key to which the keys of bodies are boxed, for when the operator’s own are lost.',
        ),
      kek: keyPlace('32 bytes in base64; those of earlier epochs lie beside it as kek-<id>.key.').describe(
        'The key that encrypts bodies, when it is not kek.key in keys.dir. With a command, kek.wrapped in keys.dir is what it unwraps.',
      ),
    })
    .prefault({}),
  upstreams: z
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
    }),
  policy: z.strictObject({ file: z.string().min(1).default('./config/policy.yaml') }).prefault({}),
  anchors: anchorsSchema.describe('Memory outside the ledger, against who can rewrite it whole.'),
  witness: witnessSchema(address),
  notify: notifySchema.describe('Who is told of holds outside the console: ids and rules, never content.'),
  workload: z
    .strictObject({
      name: z.string().max(256).default('').describe('Who calls, when the call itself does not say.'),
    })
    .prefault({}),
  limits: z
    .strictObject({
      requestBytesMax: bytes(32 * 1024 * 1024),
      batchBytesMax: bytes(256 * 1024 * 1024).describe(
        'The largest batch file, sent or fetched; its lines are judged from disk, none of more than 32 MiB.',
      ),
      responseBytesMax: bytes(32 * 1024 * 1024),
      decodedBytesMax: bytes(64 * 1024 * 1024).describe('The most that a compressed body may unpack to.'),
      storedBytesMax: bytes(4 * 1024 * 1024).describe(
        'How much is stored of a body that no rule reads, such as audio or a file; all of it is hashed.',
      ),
      passedBytesMax: bytes(1024 ** 3, 1024 ** 4).describe('The largest body that no rule reads.'),
      spoolBytesMax: bytes(4 * 1024 ** 3, 1024 ** 4).describe(
        'Disk for large uploads and batch results, which wait, encrypted, until they may go on.',
      ),
      waitMsMax: ms(270_000).describe('The longest a caller waits on a hold before it is told to ask again.'),
      upstreamIdleMsMax: ms(600_000).describe('The longest silence of an upstream.'),
      callerIdleMsMax: ms(900_000).describe(
        'The longest a caller takes and sends nothing before its connection is closed; above the two before it.',
      ),
      upstreamConnectMsMax: ms(10_000),
      upstreamConnectionsMax: z
        .int()
        .min(1)
        .max(65_536)
        .default(1024)
        .describe('Connections to each upstream.'),
      drainMsMax: ms(25_000).describe('How long running calls may finish after SIGTERM.'),
    })
    .refine(
      ({ callerIdleMsMax, waitMsMax, upstreamIdleMsMax }) =>
        callerIdleMsMax > Math.max(waitMsMax, upstreamIdleMsMax),
      'expected callerIdleMsMax above waitMsMax and upstreamIdleMsMax: a caller is silent while it waits',
    )
    .prefault({}),
  retention: z
    .strictObject({
      everyHours: z.int().min(1).max(8760).default(24).describe('How often what is due is erased.'),
      rules: z
        .array(retentionRule)
        .max(100)
        .refine(
          (all) => new Set(all.map(({ id }) => id)).size === all.length,
          'expected a different id for each',
        )
        .default([])
        .describe('How long content is kept; for good where no rule says otherwise.'),
      exemptions: z
        .array(exemption)
        .max(100)
        .default([])
        .describe('What is kept although its erasure is asked for, such as for the defence of legal claims.'),
    })
    .prefault({}),
  log: z
    .strictObject({ level: z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info') })
    .prefault({}),
});

export type Config = z.output<typeof configSchema>;

/** The published JSON Schema of the file, draft 2020-12. */
export function configJsonSchema(): unknown {
  const schema = z.toJSONSchema(configSchema, { io: 'input' });
  return { ...schema, title: 'Holdpoint configuration' };
}
