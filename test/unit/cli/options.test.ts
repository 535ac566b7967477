/** Options as people type them, and what is said where they slip. */
import { describe, expect, it } from 'vitest';
import { readArguments, readOptions } from '../../../src/cli/options.ts';
import { HoldpointError } from '../../../src/core/errors.ts';

const read = (...args: string[]) => readArguments(args, ['reason', 'in-stead'], ['json'], ['witness']);

function refusal(...args: string[]): HoldpointError {
  try {
    read(...args);
  } catch (error) {
    if (error instanceof HoldpointError) return error;
    throw error;
  }
  throw new Error('it was accepted');
}

describe('options', () => {
  it('are read wherever they stand, a text by its last value, a list by all', () => {
    const options = read(
      'h-1',
      '--reason',
      'a',
      '--witness=x',
      '--json',
      'h-2',
      '--reason=-b',
      '--witness',
      'y',
    );
    expect(options.positionals).toEqual(['h-1', 'h-2']);
    expect(options.text('reason')).toBe('-b');
    expect(options.list('witness')).toEqual(['x', 'y']);
    expect([options.flag('json'), options.text('in-stead')]).toEqual([true, undefined]);
  });

  it('that take a configuration tell how to name one', () => {
    expect(() => readOptions(['my.yaml'], ['config'])).toThrow('was given "my.yaml"');
    let next = '';
    try {
      readOptions(['my.yaml'], ['config']);
    } catch (error) {
      if (error instanceof HoldpointError) next = error.next;
    }
    expect(next).toContain('Did you mean --config my.yaml?');
  });

  it('end where -- stands', () => {
    expect(read('--', '--reason', '-x').positionals).toEqual(['--reason', '-x']);
  });

  it.each([
    [['--raeson', 'x'], 'There is no option --raeson here.', 'Did you mean --reason?'],
    [['-reason', 'x'], 'There is no option -reason here.', 'Did you mean --reason?'],
    [['-j'], 'There is no option -j here.', 'Did you mean --json?'],
    [['--insted=ada'], 'There is no option --insted here.', 'Did you mean --in-stead?'],
    [
      ['--colour'],
      'There is no option --colour here.',
      'There are: --reason, --in-stead, --witness, --json.',
    ],
    [['--__proto__'], 'There is no option --__proto__ here.', 'There are: --reason'],
    [['--reason'], '--reason needs a value.', 'Write it behind'],
    [['--reason', '--json'], '--reason needs a value.', '--reason=-VALUE'],
    [['--json=1'], '--json takes no value.', 'See holdpoint --help.'],
  ])('%j: %s %s', (args, message, next) => {
    const error = refusal(...args);
    expect([error.code, error.message]).toEqual(['usage', message]);
    expect(error.next).toContain(next);
  });

  it('that are none show nothing of their value', () => {
    const error = refusal('--tokne=hp_SECRET');
    expect(`${error.message} ${error.next}`).not.toContain('SECRET');
  });
});
