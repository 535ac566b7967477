/** The part of the configuration file about the control port: where it listens, who is let in, and as what. */
import { z } from 'zod';
import { createRoleBook } from '../core/roles.ts';
import { address, hostOf, isHostAlone } from './address.ts';
import { peopleSchema } from './people.ts';
import { rolesSchema } from './roles.ts';
import { controlTlsSchema, isLoopback, kubernetesSchema, publicUrlSchema, signInSchema } from './sign-in.ts';

export const controlSchema = z
  .strictObject({
    listen: address.default('127.0.0.1:8788').describe('The control plane and the console.'),
    hosts: z
      .array(
        z
          .string()
          .min(1)
          .max(253)
          .refine(
            isHostAlone,
            'expected a name alone, such as holdpoint.example.com: no scheme, no port, no wildcard',
          ),
      )
      .max(32)
      .default([])
      .describe(
        'Further host names under which browsers reach the control port; loopback names and its own address always work.',
      ),
    rulings: z
      .enum(['accepted', 'signed'])
      .default('accepted')
      .describe(
        'Whether a ruling needs the signature of a key that its reviewer has enrolled. Sealed at each start, so that a verifier demands it too.',
      ),
    roles: rolesSchema,
    people: peopleSchema,
    publicUrl: publicUrlSchema,
    tls: controlTlsSchema,
    signIn: signInSchema,
    kubernetes: kubernetesSchema,
  })
  .refine(
    ({ publicUrl, signIn, listen }) =>
      signIn.oidc === undefined || publicUrl !== undefined || isLoopback(hostOf(listen)),
    'expected publicUrl: the provider sends people back there, and control.listen is not on loopback',
  )
  .superRefine(({ roles, tls, signIn }, context) => {
    const { names } = createRoleBook(roles);
    const check = (given: readonly { readonly role: string }[], path: readonly string[]): void => {
      for (const [place, { role }] of given.entries())
        if (!names.includes(role))
          context.addIssue({
            code: 'custom',
            path: [...path, place, 'role'],
            message: `expected one of ${names.join(', ')}`,
          });
    };
    check(tls?.clients ?? [], ['tls', 'clients']);
    check(signIn.oidc?.roles ?? [], ['signIn', 'oidc', 'roles']);
  })
  .prefault({});
