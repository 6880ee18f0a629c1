import { migrate, readMigrations } from '@shop/migrations';
import { productService } from '@shop/product';
import { migrationsFolder, REQUIRED_MIGRATION } from '@shop/shop';
import { aBareDatabase, type BareDatabase, eventually, startApp } from '@shop/testing';

let database: BareDatabase | undefined;
afterEach(async () => {
  await database?.drop();
  database = undefined;
});

describe('/ready', () => {
  const codeOf = async (database: BareDatabase) => {
    const app = await startApp(productService, { DB_NAME: database.name });
    const { status, body } = await app.http.get('/ready');
    await app.close();
    return [status, body.code, body.detail];
  };
  const outdated = [503, 'schema_outdated', 'The database schema is older than this release: run `npm run migrate`.'];

  test('needs the newest migration', async () => {
    expect((await readMigrations(migrationsFolder)).at(-1)?.name).toBe(REQUIRED_MIGRATION);
  });

  test('is 503 until the newest migration is applied, and then 200 without a restart', async () => {
    database = await aBareDatabase();
    expect((await codeOf(database)).slice(0, 2)).toEqual([503, 'schema_missing']);
    await database.load('tests/support/schemas/7-cache-generation.sql');
    expect(await codeOf(database)).toEqual(outdated);
    await migrate(database.connection, await readMigrations(migrationsFolder));
    expect((await codeOf(database))[0]).toBe(200);
    await database.connection.query('DELETE FROM schema_migrations WHERE name = ?', [REQUIRED_MIGRATION]);
    expect(await codeOf(database)).toEqual(outdated);

    const app = await startApp(productService, { DB_NAME: database.name });
    await app.http.get('/ready').expect(503);
    await migrate(database.connection, await readMigrations(migrationsFolder));
    await eventually('the service to be ready', async () => (await app.http.get('/ready')).status === 200);
    await app.close();
  });

  test('is 200 if a newer release has migrated the database', async () => {
    database = await aBareDatabase();
    await database.load('sql/schema.sql');
    await database.connection.query("INSERT INTO schema_migrations (name, checksum) VALUES ('9999_newer.sql', '')");
    expect((await codeOf(database))[0]).toBe(200);
  });
});
