import { createRequire } from 'node:module';

const autocannon = createRequire(import.meta.url)('autocannon');

/** Requests per second of one bounded burst of load, with autocannon's options. Throws when any answer was not 2xx. */
export async function requestsPerSecond({ seconds, connections = 50, ...options }) {
  const result = await autocannon({ ...options, connections, duration: seconds });
  if (result.errors > 0 || result.non2xx > 0) {
    throw new Error(`${options.url}: ${result.errors} errors, ${result.non2xx} answers other than 2xx`);
  }
  return result.requests.total / result.duration;
}

export const median = (values) => {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
};

/**
 * Measures two things in turn, A B A B …, after one round each to warm up: the machine's noise meets both.
 * @returns per side the median, and the median of the ratios round by round
 */
export async function sideBySide(a, b, rounds) {
  await a();
  await b();
  const pairs = [];
  for (let round = 0; round < rounds; round += 1) pairs.push([await a(), await b()]);
  return {
    a: median(pairs.map(([first]) => first)),
    b: median(pairs.map(([, second]) => second)),
    ratio: median(pairs.map(([first, second]) => first / second)),
  };
}
