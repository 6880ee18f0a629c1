import { parseStatements } from '@shop/migrations';

/** Comments with which a migration says that it breaks a rule on purpose. */
const UNUSED = /^-- unused since: (\S+)$/m;
const REBUILDS = /^-- rebuilds: \S/m;

const NAMED_IN = 'Name it, so that a later migration can drop it on every database';

interface Rule {
  /** The parts of an ALTER TABLE, and the lines of a CREATE TABLE, that break it. */
  pattern: RegExp;
  problem: string;
}

const RENAME: Rule = {
  pattern: /^(RENAME|CHANGE)\b/i,
  problem:
    'the release before knows only the old name: add the new one, write both, and drop the old one a release later',
};

/** An index or a constraint whose name the server would invent. */
const UNNAMED: Rule[] = [
  { pattern: /^(ADD )?(UNIQUE |FULLTEXT |SPATIAL )?(INDEX|KEY) ?\(/i, problem: `an index without a name. ${NAMED_IN}` },
  { pattern: /^(ADD )?UNIQUE ?\(/i, problem: `an index without a name. ${NAMED_IN}` },
  { pattern: /^(ADD )?(CONSTRAINT )?(FOREIGN KEY|CHECK)\b/i, problem: `a constraint without a name. ${NAMED_IN}` },
];

const UNNAMED_BESIDE_COLUMN: Rule = {
  pattern: /\b(UNIQUE|REFERENCES|CHECK)\b/i,
  problem: `an index or a constraint beside a column has no name of its own. ${NAMED_IN}`,
};

const REQUIRED_COLUMN: Rule = {
  pattern: /^ADD (?!.*(\bDEFAULT\b|(?<!NOT )\bNULL\b|\bAS ?\())/i,
  problem: 'the release before inserts rows without this column: make it NULL or give it a default',
};

const ADD_COLUMN = /^ADD (COLUMN )?(?!(UNIQUE|FULLTEXT|SPATIAL|INDEX|KEY|CONSTRAINT|FOREIGN|CHECK|PRIMARY)\b)\w+ /i;
const IN_PLACE = /^(ADD (UNIQUE )?(INDEX|KEY) |DROP (INDEX|KEY|FOREIGN KEY) )/i;
const DROP = /^DROP (COLUMN|INDEX|KEY|FOREIGN KEY|CONSTRAINT|CHECK|PRIMARY KEY)\b/i;
const KNOWN_PART = /^(ADD (?!(COLUMN )?\()|MODIFY|DROP|RENAME|CHANGE|CONVERT TO|ENGINE|ROW_FORMAT|ALGORITHM|LOCK)\b/i;

/**
 * What in a migration is unsafe while the release before still serves, or makes it longer than it says. An empty list if nothing
 * is. `docs/migrations.md` explains the rules.
 *
 * @param released versions that have been released
 */
export function migrationProblems(name: string, text: string, released: readonly string[]): string[] {
  if (name.endsWith('.cjs')) return problemsOfCode(text).map((problem) => `${name}: ${problem}`);
  return parseStatements(text, name).flatMap(({ comments, sql }) => {
    const statement = normalized(sql);
    const said = comments.join('\n');
    return problemsOf(statement, said, released).map((problem) => `${name}: ${statement.slice(0, 60)}…: ${problem}`);
  });
}

/** One line, without what is in quotes. */
const normalized = (sql: string): string =>
  sql
    .replace(/'(?:[^'\\]|\\.|'')*'/g, "''")
    .replaceAll('`', '')
    .replace(/\s+/g, ' ');

function problemsOf(statement: string, said: string, released: readonly string[]): string[] {
  const altered = /^ALTER TABLE \w+ (.*)$/i.exec(statement)?.[1];
  if (altered !== undefined) return problemsOfAlter(partsOf(altered), said, released);
  const created = /^CREATE TABLE IF NOT EXISTS \w+ \((.*)\)[^()]*$/i.exec(statement)?.[1];
  if (created !== undefined) return problemsOfCreate(partsOf(created));
  if (/^DROP TABLE IF EXISTS \w+$/i.test(statement)) return problemsOfDrop(said, released);
  if (/^(INSERT|UPDATE|DELETE) /i.test(statement)) return [];
  return ['not a kind of statement that is checked: use ALTER TABLE, or CREATE or DROP TABLE with IF (NOT) EXISTS'];
}

function problemsOfAlter(parts: string[], said: string, released: readonly string[]): string[] {
  const columns = parts.filter((part) => ADD_COLUMN.test(part));
  return [
    ...broken(parts, [RENAME, ...UNNAMED]),
    ...broken(columns, [UNNAMED_BESIDE_COLUMN, REQUIRED_COLUMN]),
    ...(parts.some((part) => DROP.test(part)) ? problemsOfDrop(said, released) : []),
    ...parts.filter((part) => !KNOWN_PART.test(part)).map((part) => `not a change that is checked: ${part}`),
    ...problemsOfAlgorithm(parts, said),
  ];
}

function problemsOfCreate(lines: string[]): string[] {
  const isColumn = (line: string) =>
    !/^(CONSTRAINT|PRIMARY|UNIQUE|FULLTEXT|SPATIAL|INDEX|KEY|FOREIGN|CHECK)\b/i.test(line);
  return [...broken(lines, UNNAMED), ...broken(lines.filter(isColumn), [UNNAMED_BESIDE_COLUMN])];
}

const broken = (parts: string[], rules: Rule[]): string[] =>
  rules.flatMap(({ pattern, problem }) => (parts.some((part) => pattern.test(part)) ? [problem] : []));

/** Also of an index: statements name indexes (FORCE INDEX), and code recognizes an error by the constraint. */
function problemsOfDrop(said: string, released: readonly string[]): string[] {
  const since = UNUSED.exec(said)?.[1];
  if (since === undefined)
    return ['a drop needs "-- unused since: VERSION", the first release whose code works without it'];
  if (released.includes(since)) return [];
  return [`${since} is not released: drop it in the release after the one that stops using it`];
}

/** With these clauses the server itself refuses to copy or rebuild the table, or to block writers meanwhile. */
function problemsOfAlgorithm(parts: string[], said: string): string[] {
  if (REBUILDS.test(said) || parts.includes('ALGORITHM=INSTANT')) return [];
  const changes = parts.filter((part) => !/^(ALGORITHM|LOCK)=/.test(part));
  const inPlace = parts.includes('ALGORITHM=INPLACE') && parts.includes('LOCK=NONE');
  if (inPlace && changes.every((change) => IN_PLACE.test(change))) return [];
  return [
    'end it with ALGORITHM=INSTANT, or for indexes and foreign keys with ALGORITHM=INPLACE, LOCK=NONE. ' +
      'If the server refuses that, say "-- rebuilds: WHY"',
  ];
}

/** Only SQL files are checked. */
function problemsOfCode(text: string): string[] {
  const ddl = /\b(CREATE|ALTER|DROP|RENAME|TRUNCATE)\s+(UNIQUE\s+)?(TABLE|INDEX)\b/i;
  return ddl.test(text) ? ['changes a table in code: do it in a .sql file'] : [];
}

/** Splits at the commas that are not inside parentheses. */
function partsOf(list: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let part = '';
  for (const character of list) {
    if (character === '(') depth += 1;
    if (character === ')') depth -= 1;
    if (character === ',' && depth === 0) {
      parts.push(part.trim());
      part = '';
    } else part += character;
  }
  return [...parts, part.trim()];
}
