/** Figures against what they are held to: said on a line each, and an exit status of 1 where one falls short. */

export interface Limit {
  readonly atLeast?: number;
  readonly below?: number;
}

/** Prints the figure with its verdict; a bench that missed a limit goes on and ends with 1. */
export function judge(what: string, figure: number, unit: string, { atLeast, below }: Limit): void {
  const isMet = (atLeast === undefined || figure >= atLeast) && (below === undefined || figure < below);
  if (!isMet) process.exitCode = 1;
  const shown = [figure, atLeast, below].map((value) => value?.toLocaleString('en') ?? '');
  const limit = [
    ...(atLeast === undefined ? [] : [`at least ${shown[1]}`]),
    ...(below === undefined ? [] : [`below ${shown[2]}`]),
  ].join(', ');
  process.stdout.write(`${isMet ? 'met  ' : 'SHORT'} ${what}: ${shown[0]} ${unit} (${limit})\n`);
}
