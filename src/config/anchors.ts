/** The part of the configuration file about memory outside the ledger: anchors, and being a witness for others. */
import { resolve } from 'node:path';
import { z } from 'zod';
import { webUrl as url } from './address.ts';
import { path } from './place.ts';

const name = z
  .string()
  .regex(/^[a-z][a-z0-9_]{0,31}$/, 'expected a name of lower-case letters, digits and _');
const verifierKey = z
  .string()
  .max(1024)
  .regex(/^[^+\s]+\+[0-9a-f]{8}\+[A-Za-z0-9+/]+=*$/, 'expected a verifier key such as name+1a2b3c4d+base64');

const fileAnchor = z.strictObject({
  kind: z.literal('file'),
  path: path.describe('An append-only file, best on a volume of somebody else’s.'),
});
const witnessAnchor = z.strictObject({
  kind: z.literal('witness'),
  url: url.describe('The submission prefix of a witness that speaks c2sp.org/tlog-witness.'),
  key: verifierKey.describe('Its verifier key, of type 0x04, from somewhere else than that address.'),
});
const timestampAnchor = z.strictObject({
  kind: z.literal('timestamp'),
  url: url.describe('A time stamp authority that speaks RFC 3161 over HTTP.'),
});
const bucketAnchor = z.strictObject({
  kind: z.literal('bucket'),
  url: url.describe(
    'The bucket, by name in the host or as the path’s first step; it must have object lock. Credentials are AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.',
  ),
  region: z.string().regex(/^[a-z0-9-]+$/, 'expected a region such as eu-central-1'),
  prefix: z
    .string()
    .max(256)
    .regex(/^([A-Za-z0-9._-]+\/)*$/, 'expected a prefix such as holdpoint/')
    .default('holdpoint/'),
  retainDays: z
    .int()
    .min(1)
    .max(36_500)
    .default(365)
    .describe('How long nobody can delete what is put there.'),
});

export const anchorsSchema = z
  .strictObject({
    everyMs: z
      .int()
      .min(100)
      .max(24 * 3_600_000)
      .default(60_000)
      .describe('How often each anchor is given the last checkpoint; and once more at the stop.'),
    timeoutMs: z
      .int()
      .min(100)
      .max(600_000)
      .default(10_000)
      .describe('How long an anchor may take to answer.'),
    require: z
      .enum(['none', 'anchored'])
      .default('none')
      .describe(
        'none: nothing ever waits for an anchor. anchored: new calls get 503 while fewer than `quorum` anchors have acknowledged every entry that is older than `withinMs`.',
      ),
    withinMs: z
      .int()
      .min(1_000)
      .max(7 * 24 * 3_600_000)
      .default(300_000)
      .describe('For require; above everyMs.'),
    quorum: z.int().min(1).max(16).default(1).describe('For require: how many anchors it needs.'),
    to: z
      .record(name, z.discriminatedUnion('kind', [fileAnchor, witnessAnchor, timestampAnchor, bucketAnchor]))
      .refine((all) => Object.keys(all).length <= 16, 'expected at most 16 anchors')
      .superRefine((all, context) => {
        const known = new Map<string, string>();
        for (const [name, anchor] of Object.entries(all)) {
          const place = placeOf(anchor);
          const other = known.get(place);
          if (other !== undefined)
            context.addIssue({
              code: 'custom',
              message: `expected a different place for each, and ${name} has that of ${other}: quorum counts places`,
            });
          known.set(place, name);
        }
      })
      .default({})
      .describe('The anchors, by name.'),
  })
  .refine(
    ({ require, everyMs, withinMs }) => require === 'none' || withinMs > everyMs,
    'expected withinMs above everyMs: an anchor that is asked less often is never in time',
  )
  .refine(
    ({ require, quorum, to }) => require === 'none' || Object.keys(to).length >= quorum,
    'expected as many anchors as quorum: no call could ever be taken',
  )
  .prefault({});

export const witnessSchema = (address: z.ZodType<string, string>) =>
  z
    .strictObject({
      listen: address.describe(
        'Where peers hand in their checkpoints, c2sp.org/tlog-witness. It needs no token: signatures are what counts.',
      ),
      name: z
        .string()
        .max(255)
        .regex(/^[!-*,-~]+$/, 'expected a name such as witness.example.com/w1')
        .describe('The name in its verifier key: a URL without its scheme, by custom.'),
      peers: z
        .array(verifierKey)
        .min(1)
        .max(256)
        .describe(
          'Verifier keys of the ledgers it is a witness for, as `holdpoint keys show` prints them there.',
        ),
    })
    .optional()
    .describe(
      'Be a witness for the ledgers of others. Its key is witness.pem in keys.dir, made on the first start.',
    );

/** Whose memory it is: whoever has one under two names has one. */
export function placeOf(anchor: AnchorConfig): string {
  switch (anchor.kind) {
    case 'file':
      return `file ${resolve(anchor.path)}`;
    case 'witness':
      return `witness ${anchor.key.split('+').slice(2).join('+')}`;
    default:
      return `${anchor.kind} ${URL.canParse(anchor.url) ? new URL(anchor.url).href : anchor.url}`;
  }
}

export type AnchorConfig = z.output<
  typeof fileAnchor | typeof witnessAnchor | typeof timestampAnchor | typeof bucketAnchor
>;
