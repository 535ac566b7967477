/** What a subcommand is, and the exit codes all of them share. */

export const exitCodes = { ok: 0, finding: 1, usage: 2, unreachable: 3 } as const;
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

export type Environment = Readonly<Record<string, string | undefined>>;

export interface Command {
  /** As typed: `holds release`. */
  readonly name: string;
  /** Arguments and options: `ID --reason TEXT`. */
  readonly usage: string;
  readonly summary: string;
  /** Runs with the arguments after the name. Throws HoldpointError; `usage` and configuration errors exit 2. */
  readonly run: (args: readonly string[], env: Environment) => Promise<ExitCode>;
}
