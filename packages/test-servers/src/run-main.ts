import { operatorMessage, UsageError } from './errors';

/**
 * Runs a program with the command line's arguments, and exits with the code that it returns. An error that the operator can fix
 * is one line; a wrong command line exits with 2.
 */
export function runMain(main: (args: string[]) => Promise<number>): void {
  // The reader of our output may go away (a closed terminal, `| head`). The program must still clean up.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
  main(process.argv.slice(2)).then(
    (code) => process.exit(code),
    (error: unknown) => {
      console.error('error:', operatorMessage(error) ?? error);
      process.exit(error instanceof UsageError ? 2 : 1);
    },
  );
}
