/** Which keys are a text that is being written, and which do something. */
import { describe, expect, it } from 'vitest';
import { createWriting, type Heard, type Press } from '../../../../src/console/desk/writing.ts';

/** What comes of keys pressed one after the other: into a field at first, and then where it was. */
function heard(inField: readonly string[], after: readonly string[], isGone = true): readonly Heard[] {
  const writing = createWriting();
  for (const key of inField) writing.hear(press(key, 'text'), false);
  return after.map((key) => writing.hear(press(key, 'nothing'), isGone));
}

function press(key: string, into: Press['into']): Press {
  const isModified = key.startsWith('Ctrl ');
  return { key: key.replace('Ctrl ', ''), isModified, into };
}

describe('keys', () => {
  it('after the field is gone are the rest of what was written in it, until one says that one knows', () => {
    expect(heard(['R', 'e'], ['j', ' ', 'Shift', 'R', 'Backspace', 'Enter', 'Ctrl Enter', 'd'])).toEqual([
      ...['lost', 'lost', 'none', 'lost', 'lost', 'lost', 'none', 'lost'],
    ]);
    for (const end of ['Escape', 'Tab', 'ArrowDown'])
      expect(heard(['R'], ['j', end, 'r'])).toEqual(['lost', 'command', 'command']);
  });

  it('after a correction or a new line are still that', () => {
    for (const last of ['Backspace', 'Delete', 'Enter', 'Dead'])
      expect(heard(['R', last], ['j']), last).toEqual(['lost']);
  });

  it('are commands where the field is still there, was left or sent, or nothing was written', () => {
    expect(heard(['R'], ['j'], false)).toEqual(['command']);
    for (const last of ['Escape', 'Tab', 'Ctrl Enter'])
      expect(heard(['R', last], ['j']), last).toEqual(['command']);
    expect(heard([], ['j'])).toEqual(['command']);
  });

  it('are commands once a line was sent, and once somebody pointed elsewhere', () => {
    const writing = createWriting();
    writing.hear(press('x', 'line'), false);
    expect(writing.hear(press('j', 'nothing'), true)).toBe('lost');
    expect(writing.hear(press('Enter', 'line'), false)).toBe('written');
    expect(writing.hear(press('j', 'nothing'), true)).toBe('command');
    writing.hear(press('x', 'line'), false);
    writing.end();
    expect(writing.hear(press('j', 'nothing'), true)).toBe('command');
  });
});
