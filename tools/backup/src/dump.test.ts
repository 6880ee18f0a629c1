import { type BareDatabase, dropBareDatabases, tablesOf } from '@shop/testing';
import { aDatabaseFrom, aShopToBackUp, bytesIn, statementsOf } from '../tests/shop';

afterEach(dropBareDatabases);

const ALL_BYTES = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
const AWKWARD =
  'quote \' " ` backslash \\ \\n percent % NUL \0 sub \x1a cr \r\n tab \t ;\n emoji 🛒👩‍👩‍👧 Ωß e\u0301 -- /* */ ;';

const EVERY_TYPE = `CREATE TABLE every_type (
  id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  \`order by\` INT NULL, \`we\`\`ird.name\` VARCHAR(10) NULL,
  tiny TINYINT NULL, small SMALLINT UNSIGNED NULL, medium MEDIUMINT NULL, big BIGINT NULL, ubig BIGINT UNSIGNED NULL,
  dec_exact DECIMAL(65, 30) NULL, dbl DOUBLE NULL, bits BIT(12) NULL, yr YEAR NULL,
  d DATE NULL, t TIME(6) NULL, dt DATETIME(6) NULL, ts TIMESTAMP(6) NULL DEFAULT NULL,
  c CHAR(5) NULL, vc VARCHAR(500) NULL, lat VARCHAR(50) CHARACTER SET latin1 NULL,
  ascii_bin CHAR(5) CHARACTER SET ascii COLLATE ascii_bin NULL, txt LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL,
  b BINARY(4) NULL, vb VARBINARY(300) NULL, bl LONGBLOB NULL,
  e ENUM('it''s', 'b\\\\c') NULL, s SET('x', 'y') NULL, j JSON NULL,
  sto INT AS (yr + 1) STORED, virt INT AS (IF(yr <=> 1, NULL, yr)) VIRTUAL, KEY virt (virt)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci COMMENT 'it''s a; "comment" \\\\'`;

const values = {
  'order by': -2147483648,
  'we`ird.name': 'x',
  tiny: -128,
  small: 65535,
  medium: -8388608,
  big: '-9223372036854775808',
  ubig: '18446744073709551615',
  dec_exact: `-${'9'.repeat(35)}.${'1'.repeat(30)}`,
  dbl: '-1.7976931348623157e308',
  bits: Buffer.from([0x0a, 0xbc]),
  yr: 2155,
  d: '1000-01-01',
  t: '-838:59:58.999999',
  dt: '9999-12-31 23:59:59.999999',
  ts: '2026-03-29 01:30:00.000001',
  c: 'a',
  vc: AWKWARD,
  lat: 'äöü€',
  ascii_bin: 'AbC',
  txt: AWKWARD.repeat(20_000),
  b: Buffer.from([0, 1, 0, 0]),
  vb: ALL_BYTES,
  bl: Buffer.concat(Array.from({ length: 1000 }, () => ALL_BYTES)),
  e: "it's",
  s: 'x,y',
  j: JSON.stringify({ text: AWKWARD, nested: [1, -1.5, null, { a: [] }], big: 9007199254740991 }),
};

test('every type of column comes back byte for byte, with NULL, and so does the table', async () => {
  const shop = await aShopToBackUp();
  const { connection, rows } = shop.database;
  // Id 0, and dates that strict servers refuse, exist in old databases.
  await connection.query("SET SESSION time_zone = '+00:00', sql_mode = 'NO_AUTO_VALUE_ON_ZERO'");
  await connection.query(EVERY_TYPE);
  const names = Object.keys(values).map((name) => `\`${name.replaceAll('`', '``')}\``);
  await connection.query(`INSERT INTO every_type (${names}) VALUES (?)`, [Object.values(values)]);
  await connection.query('INSERT INTO every_type (id) VALUES (0)');
  await connection.query("INSERT INTO every_type (id, vc, vb, bl, txt, d) VALUES (90, '', '', '', '', '0000-00-00')");
  expect(await rows('SELECT COUNT(*) AS all_rows FROM every_type')).toEqual([{ all_rows: 3 }]);

  const manifest = await shop.backup();
  expect(manifest.tables.find(({ name }) => name === 'every_type')).toMatchObject({ rows: 3 });
  const copy = await aDatabaseFrom(shop.target, manifest);
  for (const { name } of manifest.tables) {
    if (name === 'backups') continue; // The backup itself was recorded since.
    expect([name, await bytesIn(copy, name)]).toEqual([name, await bytesIn(shop.database, name)]);
  }
  // MySQL remembers whether a column's character set, the table's own, was written down.
  const shown = async (database: BareDatabase) =>
    JSON.stringify(await tablesOf(database), null, 1).replaceAll(' CHARACTER SET utf8mb4', '');
  expect(await shown(copy)).toBe(await shown(shop.database));
  await copy.connection.query('INSERT INTO every_type () VALUES ()');
  expect(await copy.rows('SELECT MAX(id) AS id FROM every_type')).toEqual([{ id: 91 }]);
});

test('statements have a bounded size, and none ends inside a value', async () => {
  const shop = await aShopToBackUp();
  const users = Array.from({ length: 30_000 }, (_, n) => [`${AWKWARD}${n};\n`, `${n}@example.com`]);
  await shop.database.connection.query('INSERT INTO users (name, email) VALUES ?', [users]);
  const manifest = await shop.backup();
  const [header = '', create = '', ...inserts] = await statementsOf(shop.target, manifest, 'users');
  expect(header).toMatch(/^SET NAMES utf8mb4, .*;$/);
  expect(create).toMatch(/^CREATE TABLE `users` .*;$/s);
  expect(inserts.length).toBeGreaterThan(5);
  for (const statement of inserts) {
    expect(statement.startsWith('INSERT INTO `users` (`id`, ')).toBe(true);
    expect(statement.length).toBeLessThan(600_000);
  }
  const copy = await aDatabaseFrom(shop.target, manifest);
  expect(await bytesIn(copy, 'users')).toEqual(await bytesIn(shop.database, 'users'));
});

test.each([
  ['view broken', 'CREATE VIEW broken AS SELECT 1 AS one'],
  ['table broken with engine MyISAM', 'CREATE TABLE broken (id INT) ENGINE = MyISAM'],
  ['FLOAT column broken.a', 'CREATE TABLE broken (a FLOAT)'],
  ['trigger broken', 'CREATE TRIGGER broken BEFORE INSERT ON users FOR EACH ROW SET @a = 1'],
  ['event broken', "CREATE EVENT broken ON SCHEDULE AT '2037-01-01' DO SET @a = 1"],
  ['procedure broken', 'CREATE PROCEDURE broken() SET @a = 1'],
])('refuses what the dump would leave out or change: %s', async (found, statement) => {
  const shop = await aShopToBackUp();
  await shop.database.connection.query(statement);
  await expect(shop.backup()).rejects.toThrow(`the database has what this backup cannot hold: ${found}. Use mysqldump`);
});
