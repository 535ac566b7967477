/** Roles beside those of the house: what a configuration may say of them. */
import { z } from 'zod';
import { models, type Permission, permissions, roleNamePattern, takenNames } from '../core/roles.ts';

const rolesMax = 32;

const roleName = z
  .string()
  .regex(roleNamePattern, 'expected a name of up to 32 lower-case letters, digits and -')
  .refine((name) => !takenNames.includes(name), 'expected a name that Holdpoint has not taken itself');

const grantSchema = z
  .strictObject({
    like: z.enum(models).optional().describe('All that this role of the house may do, under another name.'),
    permissions: z.array(z.enum(permissions)).min(1).optional().describe('Just these.'),
  })
  .superRefine(({ like, permissions: given }, context) => {
    const refuse = (message: string): void => context.addIssue({ code: 'custom', path: [], message });
    if ((like === undefined) === (given === undefined)) return refuse('expected either like or permissions');
    if (given !== undefined && !given.includes('see') && given.some((one) => one !== 'report'))
      refuse('expected see among the permissions: what else there is, report apart, needs it');
    // How many decisions a condition of one's own matches says what is in them, one question after another.
    if (given?.includes('backtest') === true && !given.includes('read_content'))
      refuse(
        'expected read_content with backtest: conditions that one writes oneself tell content bit by bit',
      );
  })
  .transform((grant): { like: (typeof models)[number] } | { permissions: readonly Permission[] } =>
    grant.like === undefined ? { permissions: grant.permissions ?? [] } : { like: grant.like },
  );

export const rolesSchema = z
  .record(roleName, grantSchema)
  .refine((roles) => Object.keys(roles).length <= rolesMax, `expected at most ${rolesMax} roles`)
  .default({})
  .describe(
    'Roles beside viewer, reviewer, auditor, privacy, reporter and admin, for tokens and for rules to ask for. Erasing and changing keys stay with privacy and admin.',
  );
