import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { KEYS_TABLE } from '@shop/core/idempotency';
import { coreRights } from '@shop/core/service';
import { serviceNames, services } from '@shop/shop';
import { repoRoot } from '@shop/test-servers';

/** Compares the rights in packages/shop/src/services.ts with the statements of the services. */

const sources = (folder: string): string =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
    .map((file) => readFileSync(path.join(folder, file), 'utf8'))
    .join('\n');

/** What shows that a right on a table is needed. */
const uses: [pattern: (table: string) => RegExp, right: string][] = [
  [(table) => new RegExp(`\\b(FROM|JOIN) ${table}\\b`), 'SELECT'],
  [(table) => new RegExp(`\\b(table: |ownedIds\\(sql, )'${table}'`), 'SELECT'],
  [(table) => new RegExp(`\\bINSERT INTO ${table}\\b`), 'INSERT'],
  [(table) => new RegExp(`\\bUPDATE ${table}\\b`), 'UPDATE'],
  [(table) => new RegExp(`\\bINSERT INTO ${table}\\b[^\`]*ON DUPLICATE KEY UPDATE`), 'UPDATE'],
  [(table) => new RegExp(`\\bJOIN ${table} (\\w)\\b[^\`]*SET \\1\\.`), 'UPDATE'],
  // A locking read, except for a subquery's tables.
  [(table) => new RegExp(`(?<!\\(SELECT [^()]*)\\b(FROM|JOIN) ${table}\\b[^\`']*(FOR UPDATE|forUpdate)`), 'UPDATE'],
  [(table) => new RegExp(`\\b(lockInIdOrder\\(sql, |lockFirst = \\{ table: )'${table}'`), 'UPDATE'],
  [(table) => new RegExp(`\\bDELETE FROM ${table}\\b`), 'DELETE'],
  // The statement is in core.
  [(table) => (table === KEYS_TABLE ? /\bdeleteExpiredKeys\(/ : /(?!)/), 'DELETE'],
];

/** A foreign key's table, and the one that it refers to. */
const foreignKeys = [
  ...readFileSync(path.join(repoRoot, 'sql/schema.sql'), 'utf8')
    .split(/^CREATE TABLE IF NOT EXISTS /m)
    .flatMap((text) =>
      [...text.matchAll(/CONSTRAINT (\w+) FOREIGN KEY \(\w+\)\s+REFERENCES (\w+)/g)].map(([, name, parent]) => ({
        name,
        parent,
        child: /^\w+/.exec(text)?.[0],
      })),
    ),
];

/** Whether an error of a foreign key to or from the table is expected. */
const hasForeignKeyErrors = (text: string, table: string): boolean =>
  foreignKeys.some(({ name, parent, child }) => [parent, child].includes(table) && text.includes(`${name}: `));

const rightsOfCore = new Map<string, readonly string[]>(Object.entries(coreRights));

const tables = [...new Set(serviceNames.flatMap((name) => Object.keys(services[name].tables)))];

test.each(serviceNames)('the %s service needs each of its rights, and no others', (name) => {
  const text = sources(path.join(repoRoot, 'services', name, 'src'));
  const declared = new Map<string, readonly string[]>(
    Object.entries({ ...services[name].tables, ...services[name].otherTables }),
  );
  for (const table of tables) {
    const needed = new Set(uses.filter(([pattern]) => pattern(table).test(text)).map(([, right]) => right));
    // A service that declares rights on a table of core replaces core's.
    if (declared.has(table)) for (const right of rightsOfCore.get(table) ?? []) needed.add(right);
    if (needed.size === 0 && hasForeignKeyErrors(text, table)) needed.add('REFERENCES');
    const rights = (declared.get(table) ?? []).map((right) => right.replace(/ .*/, ''));
    expect([table, ...rights].toSorted()).toEqual([table, ...needed].toSorted());
  }
});
