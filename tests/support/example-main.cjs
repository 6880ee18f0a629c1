/** A service process on the built core, for tests of startup and shutdown. */
const { existsSync, writeFileSync } = require('node:fs');
const { setTimeout: sleep } = require('node:timers/promises');
const { int, statement } = require('@shop/core/db');
const { endpoint } = require('@shop/core/http');
const { runService } = require('@shop/core/service');
const { z } = require('zod');

const ANY_USER = statement('user.any', { id: int }, 'SELECT id FROM users LIMIT 1');
const LOCK_USER = statement('user.lock', { id: int }, 'SELECT id FROM users WHERE id = :id FOR UPDATE');

const get = (path, handler) =>
  endpoint({
    method: 'get',
    path,
    tag: 'example',
    summary: path,
    access: 'public',
    responses: { 204: 'empty' },
    handler,
  });

void runService({
  name: 'example',
  namespace: 'examples',
  portKey: 'AUTH_PORT',
  settings: z.object({}),
  tables: ['users', ...(process.env.EXAMPLE_TABLE ? [process.env.EXAMPLE_TABLE] : [])],
  endpoints: ({ db }) => [
    get('/users', async () => {
      await db.row(ANY_USER);
    }),
    // Reports that it has begun, and needs the database when the gate opens.
    get('/slow', async () => {
      const gate = process.env.EXAMPLE_GATE ?? '';
      writeFileSync(`${gate}.begun`, '');
      while (!existsSync(gate)) await sleep(5);
      await db.row(ANY_USER);
    }),
    // Locks a user's row, reports it, and stays in its database transaction.
    get('/holds', async () => {
      await db.transaction(async (sql) => {
        await sql.row(LOCK_USER, { id: Number(process.env.EXAMPLE_ROW) });
        writeFileSync(`${process.env.EXAMPLE_GATE}.begun`, '');
        await sleep(60_000);
      });
    }),
    get('/rejects', async () => {
      void Promise.reject(new Error('nobody handles this'));
    }),
    get('/throws', async () => {
      setImmediate(() => {
        throw new Error('nobody catches this');
      });
    }),
  ],
});
