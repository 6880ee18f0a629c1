import { table } from '@shop/test-servers';
import { checks } from './checks';
import type { Evidence, Outcome } from './evidence';

const OUTCOMES: Outcome[] = ['ok', 'fail', 'unknown'];
const SHOWN_PROBLEMS = 5;

/** Prints the operations and the results of the checks. @returns whether all checks passed */
export function report(evidence: Evidence, print: (line: string) => void): boolean {
  const kinds = [...new Set(evidence.operations.map(nameOf))].sort();
  const count = (kind: string, outcome: Outcome) =>
    evidence.operations.filter((operation) => nameOf(operation) === kind && operation.outcome === outcome).length;
  print('');
  const rows = kinds.map((kind) => [kind, ...OUTCOMES.map((outcome) => String(count(kind, outcome)))]);
  print(table([['OPERATION', ...OUTCOMES.map((outcome) => outcome.toUpperCase())], ...rows]));
  print('');
  let sound = true;
  for (const { name, run } of checks) {
    const problems = run(evidence);
    print(`${problems.length === 0 ? 'ok    ' : 'FAILED'}  ${name}`);
    for (const problem of problems.slice(0, SHOWN_PROBLEMS)) print(`          ${problem}`);
    if (problems.length > SHOWN_PROBLEMS) print(`          and ${problems.length - SHOWN_PROBLEMS} more`);
    if (problems.length > 0) sound = false;
  }
  return sound;
}

const nameOf = (operation: Evidence['operations'][number]): string => {
  if (operation.kind === 'order') return operation.key === undefined ? 'order without a key' : 'order with a key';
  return operation.kind === 'status' ? `status ${operation.to}` : operation.kind;
};
