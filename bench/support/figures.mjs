/** The unit of a CPU time of a reference divided by ours, where it is about the same on busy machines and in all versions of Node. */
export const CPU_SHARE = 'share of CPU';

/**
 * What every scenario returns: `{ figures, details }`, where details is Markdown, such as a table that explains the figures.
 * A figure has a value, a unit, and an aim or none: `{ atMost: 2 }` or `{ atLeast: 0.8 }`.
 */
export const figure = (name, value, unit, aim = undefined) => ({
  figure: name,
  value,
  unit,
  aim,
  reached: isReached(value, aim),
});

function isReached(value, aim) {
  if (aim === undefined) return undefined;
  return aim.atMost === undefined ? value >= aim.atLeast : value <= aim.atMost;
}

const aimText = ({ atMost, atLeast }) => (atMost === undefined ? `≥ ${atLeast}` : `≤ ${atMost}`);
const REACHED = new Map([
  [true, 'yes'],
  [false, '**no**'],
  [undefined, ''],
]);

export const figuresTable = (figures) =>
  markdownTable(
    ['figure', 'value', 'unit', 'aim', 'reached'],
    figures.map(({ figure: name, value, unit, aim, reached }) => [
      name,
      short(value),
      unit,
      aim === undefined ? '' : aimText(aim),
      REACHED.get(reached),
    ]),
  );

/** Three significant digits, and no decimals from 100 on. */
function short(value) {
  if (typeof value !== 'number') return value ?? '';
  if (Math.abs(value) >= 100 || value === 0) return String(Math.round(value));
  return String(Number(value.toPrecision(3)));
}

/** Aligned, as the formatter of this repository would write it. Numbers are shortened. */
export function markdownTable(head, rows) {
  const cells = [head, ...rows.map((row) => row.map((cell) => String(short(cell))))];
  const widths = head.map((_, column) => Math.max(3, ...cells.map((row) => row[column].length)));
  const line = (row) => `| ${row.map((cell, column) => cell.padEnd(widths[column])).join(' | ')} |`;
  const [first, ...others] = cells;
  return [line(first), line(widths.map((width) => '-'.repeat(width))), ...others.map(line)].join('\n');
}
