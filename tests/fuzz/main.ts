import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import { messageOf, runMain, UsageError } from '@shop/test-servers';
import { fuzz } from './fuzz';
import { reportFuzz } from './report';

const DEFAULT_REQUESTS = 50_000;
const MAX_SEED = 2 ** 31 - 1;
const USAGE = `npm run fuzz [-- --requests N] [--seed N]

Sends N valid, invalid and malformed requests (default ${DEFAULT_REQUESTS}), generated from the OpenAPI document, to all six services.
Checks every response against the document: no 5xx, only declared statuses and codes, bodies that match their schemas, and
one field error for each wrong field. Starts its own servers and does not touch running ones.
Exit code 1: a response was wrong.`;

async function main(args: string[]): Promise<number> {
  const values = optionsOf(args);
  if (values.help) {
    console.log(USAGE);
    return 0;
  }
  const requests = wholeNumber('requests', values.requests, 10_000_000) ?? DEFAULT_REQUESTS;
  const seed = wholeNumber('seed', values.seed, MAX_SEED) ?? randomInt(1, MAX_SEED);
  const interrupted = new AbortController();
  const stop = () => interrupted.abort();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, stop);
  const result = await fuzz({ seed, requests, print: console.log, signal: interrupted.signal });
  const sound = reportFuzz(result, console.log);
  console.log(`\nseed ${seed}: npm run fuzz -- --requests ${requests} --seed ${seed}`);
  if (interrupted.signal.aborted) return 130;
  return sound ? 0 : 1;
}

function optionsOf(args: string[]) {
  const text = { type: 'string' } as const;
  try {
    return parseArgs({ args, options: { requests: text, seed: text, help: { type: 'boolean' } } }).values;
  } catch (error) {
    throw new UsageError(`${messageOf(error)} (npm run fuzz -- --help)`);
  }
}

function wholeNumber(name: string, given: string | undefined, max: number): number | undefined {
  if (given === undefined) return undefined;
  if (/^\d+$/.test(given) && Number(given) >= 1 && Number(given) <= max) return Number(given);
  throw new UsageError(`--${name} takes a whole number from 1 to ${max}`);
}

runMain(main);
