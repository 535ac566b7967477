import { describe, expect, it } from 'vitest';
import type { Command } from '../../../src/cli/command.ts';
import { exitCodes } from '../../../src/cli/command.ts';
import { helpText } from '../../../src/cli/help.ts';

const release: Command = {
  name: 'holds release',
  usage:
    'ID… [--reason TEXT] [--calls ID,…] [--digest D] [--break-glass] [--in-stead NAME] [--key FILE] [--json]',
  summary: 'let the held bytes go, once; several holds only of the same bytes; --calls only these tool calls',
  run: async () => exitCodes.ok,
};

describe('help', () => {
  it('of all commands names each with what it does, and no line is wider than the terminal', () => {
    const lines =
      helpText([release, { ...release, name: 'verify' }], false, 60)
        .split('\n\n')[1]
        ?.split('\n') ?? [];
    expect(lines[0]).toBe('  holds release           let the held bytes go, once;');
    expect(lines[1]).toMatch(/^ {26}several holds/);
    expect(lines.filter((line) => line.length > 60)).toEqual([]);
  });

  it('ends with what holds for all of them, no wider than the terminal', () => {
    const end = helpText([release], true, 60).split('\n\n')[2] ?? '';
    expect(end.replaceAll('\n', ' ')).toContain('take --url and --token, or HOLDPOINT_URL');
    expect(end.split('\n').filter((line) => line.length > 60)).toEqual([]);
    expect(end).toMatch(/\nExit codes: [^\n]+\n(?:[^\n]+\n)*$/);
  });

  it('of one command has its options, none of them torn apart', () => {
    const block = helpText([release], true, 60).split('\n\n')[1] ?? '';
    expect(block.replaceAll(/\s+/g, ' ').trim()).toBe(`holds release ${release.usage} ${release.summary}`);
    expect(block).toContain('[--in-stead NAME]');
    expect(block.split('\n').filter((line) => line.length > 60)).toEqual([]);
  });
});
