/** What was written about holds and not sent. */
import { expect, it } from 'vitest';
import { createDrafts } from '../../../../src/console/desk/drafts.ts';

const nothing = { reason: '', edits: {}, editsOf: '', comment: '' };

it('what is written about one hold is kept for that one, and forgotten with the session', () => {
  const drafts = createDrafts();
  drafts.keep('h-1', { reason: 'Because.' });
  drafts.keep('h-1', { comment: 'I ask them.' });
  drafts.keep('h-2', { edits: { body: '{}' }, editsOf: '7d' });
  expect(drafts.of('h-1')).toEqual({ ...nothing, reason: 'Because.', comment: 'I ask them.' });
  expect(drafts.of('h-2')).toEqual({ ...nothing, edits: { body: '{}' }, editsOf: '7d' });
  drafts.clear();
  expect([drafts.of('h-1'), drafts.of('h-2')]).toEqual([nothing, nothing]);
});

it('of more than a hundred the one is forgotten that was written on longest ago, and none for an empty one', () => {
  const drafts = createDrafts();
  for (let i = 0; i < 100; i += 1) drafts.keep(`h-${i}`, { comment: 'So.' });
  drafts.keep('h-0', { comment: 'So it is.' });
  drafts.keep('h-empty', { reason: '' });
  expect(drafts.of('h-1').comment).toBe('So.');
  drafts.keep('h-100', { reason: 'And so.' });
  expect([drafts.of('h-0').comment, drafts.of('h-1')]).toEqual(['So it is.', nothing]);
});
