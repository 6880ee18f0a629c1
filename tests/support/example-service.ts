import { Writable } from 'node:stream';
import { type Endpoint, endpoint } from '@shop/core/http';
import { createLogger, type Logger } from '@shop/core/log';
import type { Resources, ServiceDefinition } from '@shop/core/service';
import { z } from 'zod';
import { adHoc } from './ad-hoc';

const settings = z.object({});

const docs = () => [
  { path: '/docs', title: 'Example', html: '<p>curl http://localhost:8000/things</p>' },
  { path: '/docs/things', title: 'Things', html: '<a href="/docs">Home</a>' },
];

export const exampleTag = { name: 'things', description: 'Things' };

/** A service for tests of core. Its /ready checks `tables`. */
export const exampleService = (
  endpoints: (resources: Resources) => Endpoint[],
  tables: readonly string[] = ['users'],
): ServiceDefinition<typeof settings> => ({ name: 'example', portKey: 'AUTH_PORT', settings, tables, endpoints, docs });

/** An example service whose `GET /thing` runs one statement and responds 204. */
export const statementService = (statement: string): ServiceDefinition<typeof settings> =>
  exampleService(({ db }) => [
    endpoint({
      method: 'get',
      path: '/thing',
      tag: exampleTag,
      summary: 'A thing',
      access: 'public',
      responses: { 204: 'empty' },
      handler: async () => {
        await db.rows(adHoc(statement));
      },
    }),
  ]);

export interface CapturedLog {
  logger: Logger;
  text(): string;
  lines(): Record<string, unknown>[];
}

/** A logger whose lines a test can read. */
export function capturedLog(level = 'debug'): CapturedLog {
  let written = '';
  const stream = new Writable({
    write(chunk, _encoding, done) {
      written += String(chunk);
      done();
    },
  });
  return {
    logger: createLogger('example', level, stream),
    text: () => written,
    lines: () =>
      written
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line)),
  };
}
