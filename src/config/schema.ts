/** The configuration file: its shape, its bounds and its defaults. The published JSON Schema is made from this. */
import { createPublicKey, diffieHellman, generateKeyPairSync } from 'node:crypto';
import { z } from 'zod';
import { directHosts } from '../core/direct-hosts.ts';
import { address, hostOf, isEveryAddress, portOf } from './address.ts';
import { anchorsSchema, witnessSchema } from './anchors.ts';
import { controlSchema } from './control.ts';
import { egressSchema } from './egress.ts';
import { notifySchema } from './notify.ts';
import { path } from './place.ts';
import { retentionSchema } from './retention.ts';
import { secretFile } from './secret.ts';
import { upstreamsSchema } from './upstreams.ts';

const bytes = (fallback: number, max = 1024 ** 3) => z.int().min(1024).max(max).default(fallback);
/** Of what rules read: it becomes one text, of which V8 holds half a gibibyte. */
const readBytesMax = 256 * 1024 * 1024;
const ms = (fallback: number) =>
  z
    .int()
    .min(100)
    .max(24 * 3_600_000)
    .default(fallback);

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
  z
    .union([z.strictObject({ file: secretFile.describe(what) }), keyCommand], {
      error:
        'expected either file, or command as a list, such as [/usr/local/bin/kms-sign], and never the key itself',
    })
    .optional();

/** Points of low order (RFC 7748 section 6.1) give everybody the same secret; OpenSSL derives none with them. */
function isSomebodys(publicKey: string): boolean {
  const x = Buffer.from(publicKey, 'base64');
  if (x.length !== 32) return true;
  try {
    diffieHellman({
      privateKey: generateKeyPairSync('x25519').privateKey,
      publicKey: createPublicKey({
        key: { kty: 'OKP', crv: 'X25519', x: x.toString('base64url') },
        format: 'jwk',
      }),
    });
    return true;
  } catch {
    // Refused, which is what is asked.
    return false;
  }
}

interface Listening {
  readonly listen: string;
  readonly forward?: { readonly listen: string } | undefined;
  readonly transparent?: { readonly listen: string } | undefined;
}

/** Whether a URL leads to one of these listeners on this machine. */
function isOwn(place: string, listeners: readonly Listening[]): boolean {
  // What is none was refused as such.
  if (!URL.canParse(place)) return false;
  const url = new URL(place);
  const port = url.port || (url.protocol === 'https:' ? '443' : '80');
  return listeners
    .flatMap(({ listen, forward, transparent }) => [listen, forward?.listen, transparent?.listen])
    .some(
      (listen) =>
        listen !== undefined && portOf(listen) === Number(port) && isReached(hostOf(listen), url.hostname),
    );
}

/** Whether a call to one host comes to who listens on the other; another may listen on loopback beside an address. */
function isReached(listening: string, called: string): boolean {
  if (called === listening) return true;
  return isThisMachine(called) && (isThisMachine(listening) || isEveryAddress(listening));
}

const isThisMachine = directHosts([]);

export const configSchema = z
  .strictObject({
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
            'What becomes of hosts that are no upstream, on proxy.forward and proxy.transparent: refused, or let through unread to public addresses. Both are recorded. A ClientHello that is encrypted in part (ECH) may mean another host than it names, so it does not pass, nor does its imitation (GREASE), which nobody can tell from it.',
          ),
        caFile: path
          .optional()
          .describe(
            'The certificate that workloads must trust for proxy.forward and proxy.transparent; <data.dir>/ca.pem when absent. Its key is ca.key in keys.dir.',
          ),
      })
      .prefault({}),
    control: controlSchema,
    data: z
      .strictObject({
        dir: path.default('./data').describe('Ledger, index, high-water mark and token hashes.'),
        durability: z
          .enum(['strict', 'relaxed'])
          .default('strict')
          .describe('strict waits for fsync; relaxed does not, and every entry and the verdict say so.'),
      })
      .prefault({}),
    keys: z
      .strictObject({
        dir: path.optional().describe('signing.pem, kek.key and ca.key; <data.dir>/keys when absent.'),
        signing: keyPlace(
          'An Ed25519 private key in PEM, such as one of a mounted secret; never made here.',
        ).describe('The key that signs, when it is not signing.pem in keys.dir.'),
        nextSigning: keyPlace('The Ed25519 private key to rotate to, in PEM.').describe(
          'The key to rotate to at the next start; the one before must still be there then.',
        ),
        escrow: z
          .string()
          .regex(/^[A-Za-z0-9+/]{43}=$/, 'expected 32 bytes in base64, from holdpoint keys escrow-new')
          .refine(
            isSomebodys,
            'expected a public key that somebody has, from holdpoint keys escrow-new: what is boxed to this one anybody opens',
          )
          .optional()
          .describe(
            'The public key to which the keys of bodies are boxed, for when the operator’s own are lost.',
          ),
        kek: keyPlace('32 bytes in base64; those of earlier epochs lie beside it as kek-<id>.key.').describe(
          'The key that encrypts bodies, when it is not kek.key in keys.dir. With a command, kek.wrapped in keys.dir is what it unwraps.',
        ),
      })
      .prefault({}),
    upstreams: upstreamsSchema,
    egress: egressSchema.describe('The way out, where only a forward proxy leads there.'),
    policy: z.strictObject({ file: path.default('./config/policy.yaml') }).prefault({}),
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
        requestBytesMax: bytes(32 * 1024 * 1024, readBytesMax),
        batchBytesMax: bytes(256 * 1024 * 1024).describe(
          'The largest batch file, sent or fetched; its lines are judged from disk, none of more than 32 MiB.',
        ),
        responseBytesMax: bytes(32 * 1024 * 1024, readBytesMax),
        decodedBytesMax: bytes(64 * 1024 * 1024, readBytesMax).describe(
          'The most that a compressed body may unpack to. Of one that is larger than 64 MiB, rules are all that reads it: people are shown none of it, and cannot amend it.',
        ),
        storedBytesMax: bytes(4 * 1024 * 1024, readBytesMax).describe(
          'How much is stored of a body that no rule reads, such as audio or a file; all of it is hashed.',
        ),
        passedBytesMax: bytes(1024 ** 3, 1024 ** 4).describe('The largest body that no rule reads.'),
        spoolBytesMax: bytes(4 * 1024 ** 3, 1024 ** 4).describe(
          'Disk for large uploads and batch results, which wait, encrypted, until they may go on.',
        ),
        waitMsMax: ms(270_000).describe(
          'The longest a caller waits on a hold before it is told to ask again.',
        ),
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
    retention: retentionSchema,
    log: z
      .strictObject({
        level: z
          .enum(['debug', 'info', 'warn', 'error', 'silent'])
          .default('info')
          .describe(
            '`debug` has a line for each call that ended, with its decision, and none of its content.',
          ),
      })
      .prefault({}),
  })
  .refine(({ egress, proxy, control }) => egress === undefined || !isOwn(egress.proxy, [proxy, control]), {
    path: ['egress', 'proxy'],
    error: 'expected another proxy than this sidecar, which would ask itself for ever',
  })
  .superRefine(({ upstreams, proxy, control }, context) => {
    for (const [name, { url }] of Object.entries(upstreams))
      if (url !== undefined && isOwn(url, [proxy, control]))
        context.addIssue({
          code: 'custom',
          path: ['upstreams', name, 'url'],
          message: 'expected another place than this sidecar, which would ask itself for ever',
        });
  })
  .refine(
    ({ control, notify }) =>
      Object.keys(notify.to).length === 0 ||
      notify.consoleUrl !== undefined ||
      control.publicUrl !== undefined ||
      !isEveryAddress(hostOf(control.listen)),
    {
      path: ['notify'],
      error:
        'expected consoleUrl, or control.publicUrl: control.listen is every address, and no link leads there',
    },
  );

export type Config = z.output<typeof configSchema>;

/** The published JSON Schema of the file, draft 2020-12. */
export function configJsonSchema(): unknown {
  const schema = z.toJSONSchema(configSchema, { io: 'input' });
  return { ...schema, title: 'Holdpoint configuration' };
}
