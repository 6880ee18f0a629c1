import { readFile } from 'node:fs/promises';
import autocannon from 'autocannon';

/** Linux counts a process's CPU time in ticks of 10 ms (proc_pid_stat(5)). */
const TICK_MS = 10;

/**
 * One run of autocannon: successes per second, the 99th percentile of the milliseconds of all responses, and the CPU time of each process
 * in `pids`, in milliseconds per success. Throws if a response was not 2xx, or with `mayRefuse`, neither 2xx nor 429 or 503.
 */
export async function measure({ pids = {}, connections = 50, mayRefuse = false, ...options }) {
  const cpuOfAll = () => Promise.all(Object.values(pids).map(cpuMs));
  const before = await cpuOfAll();
  const { errors, statusCodeStats, duration, latency, ...result } = await autocannon({
    // A run with an amount ends at the next sample.
    sampleInt: 20,
    ...options,
    connections,
  });
  const after = await cpuOfAll();
  const isExpected = (status) => status.startsWith('2') || (mayRefuse && ['429', '503'].includes(status));
  if (errors > 0 || !Object.keys(statusCodeStats).every(isExpected)) {
    throw new Error(`${options.title ?? options.url}: ${errors} errors, responses ${JSON.stringify(statusCodeStats)}`);
  }
  const successes = result['2xx'];
  const cpu = Object.keys(pids).map((name, index) => [name, (after[index] - before[index]) / successes]);
  return { rate: successes / duration, p99: latency.p99, ...Object.fromEntries(cpu) };
}

export const median = (values) => {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
};

/**
 * Measures all sides alternately, after one warm-up round each, so that noise of the machine affects all of them.
 * @param sides functions that return an object of numbers
 * @returns per side the numbers of each round
 */
export async function inTurns(sides, rounds) {
  const measured = sides.map(() => []);
  for (let round = 0; round <= rounds; round += 1) {
    for (const [index, side] of sides.entries()) {
      const numbers = await side();
      if (round > 0) measured[index].push(numbers);
    }
  }
  return measured;
}

/** The median of each number. */
export const medians = (rounds) =>
  Object.fromEntries(Object.keys(rounds[0]).map((key) => [key, median(rounds.map((round) => round[key]))]));

/** The median of the ratios round by round. `of` takes the number to compare from a round. */
export const medianRatio = (a, b, of) => median(a.map((round, index) => of(round) / of(b[index])));

/** CPU time of a process until now. */
export async function cpuMs(pid) {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  const [user, system] = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .slice(11, 13);
  return (Number(user) + Number(system)) * TICK_MS;
}

/** VmRSS is the memory of a process now, VmHWM its peak. */
export async function mebibytes(pid, name = 'VmRSS') {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1]) / 1024;
}
