import { readFileSync } from 'node:fs';
import path from 'node:path';
import { services } from './services';

const repoRoot = path.join(__dirname, '../../..');
const rowsOfTable = Object.values(services);

/** Core's own, which every service changes. */
const ofCore = ['cache_generation'];

test('each table of the schema has one owner', () => {
  const schema = readFileSync(path.join(repoRoot, 'sql/schema.sql'), 'utf8');
  const tables = [...schema.matchAll(/^CREATE TABLE IF NOT EXISTS (\w+)/gm)].map(([, name]) => name);
  expect([...ofCore, ...rowsOfTable.flatMap((service) => [...service.tables])].sort()).toEqual(tables.sort());
});

test('ports, their variables and paths belong to one service each', () => {
  for (const column of [
    rowsOfTable.map(({ port }) => port),
    rowsOfTable.map(({ portVariable }) => portVariable),
    rowsOfTable.flatMap((service) => [...service.paths]),
  ]) {
    expect(new Set<unknown>(column).size).toBe(column.length);
  }
});

test('the gateway sends each path to its service', () => {
  const template = readFileSync(path.join(repoRoot, 'nginx/templates/default.conf.template'), 'utf8');
  const routes = [...template.matchAll(/^ {2}"~(\S*\/(?:api|uploads)\S*)" (\w+);$/gm)].map(
    ([, pattern = '', service]) => ({ pattern: new RegExp(pattern), service }),
  );
  for (const [name, { paths }] of Object.entries(services)) {
    for (const where of paths) {
      expect([where, routes.find(({ pattern }) => pattern.test(`${where}/1`))?.service]).toEqual([where, name]);
    }
  }
});
