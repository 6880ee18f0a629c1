import { readFileSync } from 'node:fs';
import path from 'node:path';
import { services } from './services';

const repoRoot = path.join(__dirname, '../../..');
const rowsOfTable = Object.values(services);

/** Tables of core: every service writes the first one, and `npm run migrate` the second one. */
const coreTables = ['cache_generation', 'schema_migrations'];

test('each table of the schema belongs to exactly one service or to core', () => {
  const schema = readFileSync(path.join(repoRoot, 'sql/schema.sql'), 'utf8');
  const tables = [...schema.matchAll(/^CREATE TABLE IF NOT EXISTS (\w+)/gm)].map(([, name]) => name);
  expect([...coreTables, ...rowsOfTable.flatMap((service) => Object.keys(service.tables))].sort()).toEqual(
    tables.sort(),
  );
});

test('each port, port variable and path belongs to exactly one service', () => {
  for (const column of [
    rowsOfTable.map(({ port }) => port),
    rowsOfTable.map(({ portVariable }) => portVariable),
    rowsOfTable.flatMap((service) => [...service.paths]),
  ]) {
    expect(new Set<unknown>(column).size).toBe(column.length);
  }
});

test('the gateway routes each path to its service', () => {
  const template = readFileSync(path.join(repoRoot, 'nginx/templates/default.conf.template'), 'utf8');
  const routes = [...template.matchAll(/^ {2}"~(\S*\/(?:api|uploads|\\?\.well-known)\S*)" (\w+);$/gm)].map(
    ([, pattern = '', service]) => ({ pattern: new RegExp(pattern), service }),
  );
  for (const [name, { paths }] of Object.entries(services)) {
    for (const where of paths) {
      expect([where, routes.find(({ pattern }) => pattern.test(`${where.replace(/\/$/, '')}/1`))?.service]).toEqual([
        where,
        name,
      ]);
    }
  }
});
