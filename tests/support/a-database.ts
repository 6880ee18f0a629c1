import type { Env } from '@shop/core/config';
import { createDatabase, type Database } from '@shop/core/db';
import { createLogger, type Logger } from '@shop/core/log';
import { createMetrics, type Metrics } from '@shop/core/metrics';
import { loadConfig } from '@shop/core/service';
import { z } from 'zod';
import { adHoc } from './ad-hoc';
import { countsBy } from './scrape';
import { testEnv } from './test-app';

export interface TestDatabase {
  db: Database;
  metrics: Metrics;
}

const opened: Database[] = [];

/** A `Database` on the test database, with the settings of a service. Closed by `closeDatabases`. */
export function aDatabase(overrides: Env = {}, logger: Logger = createLogger('example', 'silent')): TestDatabase {
  const { core } = loadConfig({ portKey: 'AUTH_PORT', settings: z.object({}) }, testEnv(overrides));
  const metrics = createMetrics('example');
  const db = createDatabase(core.db, { logger, metrics });
  opened.push(db);
  return { db, metrics };
}

export async function closeDatabases(): Promise<void> {
  await Promise.all(opened.splice(0).map((db) => db.close()));
}

/** The number of retries by reason. */
export async function retries({ metrics }: TestDatabase): Promise<Record<string, number>> {
  return await countsBy('reason', metrics, 'db_transaction_retries_total');
}

/** The server's id of the connection that runs the next statement. */
export async function connectionId(db: Pick<Database, 'rows'>): Promise<number> {
  const [row] = await db.rows(adHoc<{ id: number }>('SELECT CONNECTION_ID() AS id'));
  return Number(row?.id);
}

export interface Gate {
  passed: Promise<void>;
  open: () => void;
}

/** One part of a test waits for it until another part opens it. */
export function aGate(): Gate {
  let open: () => void = () => undefined;
  const passed = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { passed, open };
}
