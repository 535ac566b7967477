#!/usr/bin/env -S MALLOC_ARENA_MAX=1 node --max-semi-space-size=16 --heap-growing-percent=130 --no-allocation-site-pretenuring
/** The command `holdpoint`: finds the subcommand and turns what it throws into a message and an exit code. */
import { runCommand } from './cli/run-command.ts';

process.exitCode = await runCommand(process.argv.slice(2), process.env);
