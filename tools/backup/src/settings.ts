import { ConfigError, type Env, parseSettings, readEnv, setting } from '@shop/core/config';
import { databaseSettings } from '@shop/core/db';
import { storageSettings } from '@shop/core/storage';
import { z } from 'zod';

const settings = z.object({
  BACKUP_DB_USER: z.string().optional(),
  BACKUP_DB_PASS: z.string().optional(),
  BACKUP_TARGET: z.string().optional(),
  BACKUP_RECIPIENT: z.string().optional(),
  BACKUP_IDENTITY: z.string().optional(),
  BACKUP_KEEP_LAST: setting.integer(1, 10_000).default(24),
  BACKUP_KEEP_DAILY: setting.integer(0, 10_000).default(14),
  BACKUP_KEEP_WEEKLY: setting.integer(0, 10_000).default(8),
});

/** What these commands read: no other secrets than the database's and the storage's. .env.local explains each variable. */
export function readSettings(env: Env = readEnv()) {
  const problems: string[] = [];
  const own = parseSettings(settings, env, problems);
  const database = parseSettings(databaseSettings, env, problems);
  const storage = parseSettings(storageSettings, env, problems);
  if (!own || !database || !storage) throw new ConfigError(problems);
  return { ...own, ...database, ...storage };
}

export type Settings = ReturnType<typeof readSettings>;
