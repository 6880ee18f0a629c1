import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { migrationsFolder } from '@shop/shop';
import { repoRoot } from '@shop/test-servers';
import { migrationProblems } from './support/migration-rules';

/** Holds the rules of docs/migrations.md for what the release before must survive. */

const changelog = readFileSync(path.join(repoRoot, 'CHANGELOG.md'), 'utf8');
const released = [...changelog.matchAll(/^## \[(\d[^\]]*)\]/gm)].map(([, version]) => `${version}`);

test.each(readdirSync(migrationsFolder))('%s keeps the rules', (name) => {
  const text = readFileSync(path.join(migrationsFolder, name), 'utf8');
  expect(migrationProblems(name, text, released)).toEqual([]);
});

const problems = (text: string, name = '9999_example.sql') => migrationProblems(name, `${text};\n`, ['1.0.0']);
const instant = (change: string) => `ALTER TABLE users ${change}, ALGORITHM=INSTANT`;
const inPlace = (change: string) => `ALTER TABLE users ${change}, ALGORITHM=INPLACE, LOCK=NONE`;
const created = (line: string) =>
  `CREATE TABLE IF NOT EXISTS notes (\n  id INT NOT NULL PRIMARY KEY,\n  ${line}\n) ENGINE = InnoDB`;

test.each([
  instant("ADD COLUMN note VARCHAR(9) NULL COMMENT 'unique, checked'"),
  instant("ADD COLUMN note VARCHAR(9) NOT NULL DEFAULT '' AFTER name, ADD COLUMN price DECIMAL(12, 2) NULL"),
  instant('MODIFY note VARCHAR(9) NULL'),
  inPlace('ADD INDEX users_note (note, id), DROP FOREIGN KEY users_x').replace(/^/, '-- unused since: 1.0.0\n'),
  `-- unused since: 1.0.0\n-- if column users.note\n${instant('DROP COLUMN note')}`,
  '-- unused since: 1.0.0\nDROP TABLE IF EXISTS notes',
  '-- rebuilds: ids do not fit into an INT\nALTER TABLE users MODIFY id BIGINT NOT NULL',
  created('CONSTRAINT notes_size CHECK (size IN (1, 2)),\n  UNIQUE KEY notes_size (size)'),
  'UPDATE users SET note = name WHERE note IS NULL',
])('accepts %j', (text) => {
  expect(problems(text)).toEqual([]);
});

const RENAMED = /knows only the old name/;
const NO_NAME = /Name it, /;
const NEEDS_VERSION = /unused since/;
const MAY_REBUILD = /end it with ALGORITHM=INSTANT/;
const UNCHECKED = /not a kind of statement/;

test.each([
  [instant('RENAME COLUMN note TO remark'), RENAMED],
  [instant('CHANGE note remark VARCHAR(9) NULL'), RENAMED],
  [instant('RENAME TO people'), RENAMED],
  [instant('RENAME INDEX a TO b'), RENAMED],
  [instant('ADD COLUMN note VARCHAR(9) NOT NULL'), /without this column/],
  [instant("ADD note VARCHAR(9) COMMENT 'NULL or DEFAULT' NOT NULL"), /without this column/],
  [instant('DROP COLUMN note'), NEEDS_VERSION],
  [inPlace('DROP INDEX users_note'), NEEDS_VERSION],
  [inPlace('DROP FOREIGN KEY users_x'), NEEDS_VERSION],
  [`-- unused since: 1.1.0\n${instant('DROP COLUMN note')}`, /1\.1\.0 is not released/],
  ['DROP TABLE IF EXISTS notes', NEEDS_VERSION],
  ['ALTER TABLE users ADD COLUMN note VARCHAR(9) NULL', MAY_REBUILD],
  ['ALTER TABLE users MODIFY id BIGINT NOT NULL', MAY_REBUILD],
  [inPlace('ADD COLUMN note VARCHAR(9) NULL'), MAY_REBUILD],
  [inPlace('DROP PRIMARY KEY, ADD PRIMARY KEY (id, name)').replace(/^/, '-- unused since: 1.0.0\n'), MAY_REBUILD],
  ['ALTER TABLE users ADD INDEX users_note (note), ALGORITHM=INPLACE', MAY_REBUILD],
  [inPlace('ADD INDEX (note)'), NO_NAME],
  [inPlace('ADD UNIQUE KEY (note)'), NO_NAME],
  [`-- rebuilds: all rows are checked\nALTER TABLE users ADD CHECK (age > 0)`, NO_NAME],
  [`-- rebuilds: all rows are checked\nALTER TABLE users ADD CONSTRAINT FOREIGN KEY (a) REFERENCES b (id)`, NO_NAME],
  [instant('ADD COLUMN note VARCHAR(9) NULL UNIQUE'), NO_NAME],
  [created('KEY (size)'), NO_NAME],
  [created('UNIQUE (size)'), NO_NAME],
  [created('FOREIGN KEY (size) REFERENCES sizes (id)'), NO_NAME],
  [created('size INT NOT NULL CHECK (size > 0)'), NO_NAME],
  [instant('ADD COLUMN (note VARCHAR(9) NULL)'), /not a change that is checked: ADD COLUMN/],
  [instant('COMMENT = a'), /not a change that is checked: COMMENT/],
  ['RENAME TABLE users TO people', UNCHECKED],
  ['TRUNCATE TABLE users', UNCHECKED],
  ['CREATE INDEX a ON users (note)', UNCHECKED],
  ['CREATE TABLE notes (id INT NOT NULL PRIMARY KEY)', UNCHECKED],
])('finds the mistake in %j', (text, problem) => {
  expect(problems(text)).toEqual([expect.stringMatching(problem)]);
});

test('finds a table that is changed in code', () => {
  const code = "exports.up = (connection) => connection.query('ALTER TABLE users DROP COLUMN note');";
  expect(problems(code, '9999_example.cjs')).toEqual([expect.stringMatching(/in a \.sql file/)]);
});
