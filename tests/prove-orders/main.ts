import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import { messageOf, runMain, UsageError } from '@shop/test-servers';
import { proveOrders } from './prove-orders';
import { report } from './report';

const USAGE = `npm run prove:orders [-- --minutes N | --seconds N] [--seed N]

Places orders through two replicas of every service for N minutes (default 2) while it kills (-9) services, the database and
Redis. Then checks that no order was lost, duplicated or oversold. Starts its own servers and does not touch running ones.
The same seed repeats the same schedule. Exit code 1: a check failed.`;

async function main(args: string[]): Promise<number> {
  const options = optionsFrom(args);
  if (!options) {
    console.log(USAGE);
    return 0;
  }
  const interrupted = new AbortController();
  const stop = () => interrupted.abort();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, stop);
  const evidence = await proveOrders({ ...options, print: console.log, signal: interrupted.signal });
  const sound = report(evidence, console.log);
  console.log(`\nseed ${options.seed}: npm run prove:orders -- --seconds ${options.seconds} --seed ${options.seed}`);
  return sound ? 0 : 1;
}

/** @returns undefined if --help was given */
function optionsFrom(args: string[]): { seed: number; seconds: number } | undefined {
  const values = valuesOf(args);
  if (values.help) return undefined;
  if (values.minutes !== undefined && values.seconds !== undefined) {
    throw new UsageError('use either --minutes or --seconds');
  }
  const number = (name: string, given: string | undefined, max: number): number | undefined => {
    if (given === undefined) return undefined;
    if (/^\d+$/.test(given) && Number(given) >= 1 && Number(given) <= max) return Number(given);
    throw new UsageError(`--${name} takes a whole number from 1 to ${max}`);
  };
  const seconds = number('seconds', values.seconds, 86_400) ?? 60 * (number('minutes', values.minutes, 1440) ?? 2);
  return { seconds, seed: number('seed', values.seed, 2 ** 31 - 1) ?? randomInt(1, 2 ** 31 - 1) };
}

function valuesOf(args: string[]) {
  const text = { type: 'string' } as const;
  const options = { minutes: text, seconds: text, seed: text, help: { type: 'boolean' } } as const;
  try {
    return parseArgs({ args, options }).values;
  } catch (error) {
    throw new UsageError(`${messageOf(error)} (npm run prove:orders -- --help)`);
  }
}

runMain(main);
