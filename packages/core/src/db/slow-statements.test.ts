import { endpoint, ok } from '@shop/core/http';
import { adHoc, capturedLog, eventually, exampleService, exampleTag, startApp } from '@shop/testing';
import { z } from 'zod';

const service = exampleService(({ db }) => [
  endpoint({
    method: 'post',
    path: '/thing',
    tag: exampleTag,
    summary: 'A thing',
    access: 'public',
    body: z.strictObject({ seconds: z.number() }),
    responses: { 200: z.object({ done: z.boolean() }) },
    handler: async ({ body }) => {
      await db.transaction((sql) => sql.rows(adHoc("SELECT SLEEP(?) AS slept, 'private' AS secret", [body.seconds])));
      return ok({ done: true });
    },
  }),
]);

/** What the service logs about one request whose statement takes that long. */
async function linesAbout(id: string, seconds: number, settings: Record<string, string>) {
  const log = capturedLog();
  const app = await startApp(service, settings, log.logger);
  await app.http.post('/thing').set('X-Request-Id', id).send({ seconds }).expect(200);
  await eventually('the request line', async () => log.lines().some(({ msg }) => msg === 'request'));
  await app.close();
  return log.lines().filter(({ msg }) => msg === 'slow statement');
}

it('a slow statement is logged with its name, its connection and the id of the request', async () => {
  const lines = await linesAbout('slow-1', 0.12, { DB_SLOW_STATEMENT_MS: '100' });
  expect(lines).toEqual([
    {
      level: 'warn',
      time: expect.any(String),
      service: 'example',
      request_id: 'slow-1',
      statement: 'test',
      duration_ms: expect.any(Number),
      connection_id: expect.any(Number),
      msg: 'slow statement',
    },
  ]);
  expect(lines[0]?.duration_ms).toBeGreaterThanOrEqual(119);
});

it.each([
  ['faster ones are not', 0, '1000'],
  ['with DB_SLOW_STATEMENT_MS=0, none is', 0.12, '0'],
])('%s', async (_, seconds, limit) => {
  expect(await linesAbout('slow-2', seconds, { DB_SLOW_STATEMENT_MS: limit })).toEqual([]);
});
