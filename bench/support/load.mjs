import { readFile } from 'node:fs/promises';
import autocannon from 'autocannon';

/** Linux counts a process's CPU time in ticks of 10 ms (proc_pid_stat(5)). */
const TICK_MS = 10;

/** Requests per second of one run of autocannon with these options. Throws if a response was not 2xx. */
export async function requestsPerSecond({ seconds, connections = 50, ...options }) {
  const result = await autocannon({ ...options, connections, duration: seconds });
  if (result.errors > 0 || result.non2xx > 0) {
    throw new Error(`${options.url}: ${result.errors} errors, ${result.non2xx} responses other than 2xx`);
  }
  return result.requests.total / result.duration;
}

export const median = (values) => {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
};

/**
 * Measures A and B alternately, after one warm-up round each, so that noise of the machine affects both.
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

/** CPU time of a process until now. */
export async function cpuMs(pid) {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  const [user, system] = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .slice(11, 13);
  return (Number(user) + Number(system)) * TICK_MS;
}
