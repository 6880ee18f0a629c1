import { table } from '@shop/test-servers';
import type { FuzzResult } from './fuzz';

const SHOWN_FAILURES = 40;

/** Prints a summary of requests and responses. @returns whether every response was correct */
export function reportFuzz(
  { counts, failures, slowestMs, retries }: FuzzResult,
  print: (line: string) => void,
): boolean {
  const statuses = [...new Set([...counts.values()].flatMap((byStatus) => [...byStatus.keys()]))].sort((a, b) => a - b);
  const row = (name: string, numberOf: (status: number) => number): string[] => {
    const numbers = statuses.map(numberOf);
    return [
      name,
      String(numbers.reduce((sum, number) => sum + number, 0)),
      ...numbers.map((number) => String(number || '')),
    ];
  };
  const rows = [...counts].sort(([a], [b]) => (a < b ? -1 : 1));
  print('');
  print(
    table([
      ['OPERATION', 'ALL', ...statuses.map(String)],
      ...rows.map(([name, byStatus]) => row(name, (status) => byStatus.get(status) ?? 0)),
      row('all', (status) => rows.reduce((sum, [, byStatus]) => sum + (byStatus.get(status) ?? 0), 0)),
    ]),
  );
  print('');
  print(`slowest response ${Math.round(slowestMs)} ms; ${retries} requests retried because the database was busy`);
  for (const { turn, operation, what, problem, curl } of failures.slice(0, SHOWN_FAILURES)) {
    print(`\nFAILED  request ${turn}: ${operation}, ${what}\n        ${problem}\n        ${curl}`);
  }
  if (failures.length > SHOWN_FAILURES) print(`\nand ${failures.length - SHOWN_FAILURES} more`);
  print(failures.length === 0 ? 'ok' : `\n${failures.length} failures`);
  return failures.length === 0;
}
