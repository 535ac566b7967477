/** Where a secret comes from, and what is said of one that is not there. */
import { expect, test } from 'vitest';
import { openSecret } from '../../../src/store/secret.ts';

test.each([
  { place: { env: 'SMTP_PASSWORD' }, said: 'the environment variable SMTP_PASSWORD holds no secret' },
  {
    place: { file: '/secrets/smtp' },
    said: 'the file /secrets/smtp holds no secret: no such file or directory (ENOENT).',
  },
  { place: { file: 'smtp.txt' }, said: 'the file smtp.txt holds no secret' },
])('one that is missing is named by its place: $said', ({ place, said }) => {
  expect(() => openSecret('notify.to.mail.password', place, {}, () => 0)).toThrow(
    `notify.to.mail.password: ${said}`,
  );
});

test.each([{ env: 'hunter2' }, { file: 'hunter2' }])(
  'a secret in the place of its own name %j is not said',
  (place) => {
    const open = (): unknown => openSecret('notify.to.mail.password', place, {}, () => 0);
    expect(open).toThrow('notify.to.mail.password: the');
    expect(open).not.toThrow('hunter2');
  },
);
