import path from 'node:path';
import { ConfigError, type Env, parseSettings, readEnv, setting } from '@shop/core/config';
import { defaultPorts, forEachService, portVariable, repoRoot, serviceNames } from '@shop/test-servers';
import { z } from 'zod';

const portSchema = z.object(
  Object.fromEntries(serviceNames.map((name) => [portVariable(name), setting.port.default(defaultPorts[name])])),
);

const schema = z.object({
  APP_ENV: z.string().default('local'),
  GATEWAY_PORT: setting.port.optional(),
  DB_HOST: z.string().default('127.0.0.1'),
  DB_PORT: setting.port.default(3307),
  DB_USER: z.string().default('user'),
  DB_PASS: z.string().default(''),
  DB_NAME: z.string().default('ecommerce'),
  DB_POOL_SIZE: setting.integer(1, 1000).default(25),
  REDIS_PORT: setting.port.default(6379),
  REDIS_PASSWORD: z.string().default(''),
  DB_TLS: setting.tls,
  REDIS_TLS: setting.tls,
});

export type Settings = ReturnType<typeof readSettings>;

/** What these commands read. The services read the rest from `env`. `up` changes the address of a server that it starts. */
export function readSettings() {
  const file = path.resolve(repoRoot, process.env.ENV_FILE || `.env.${process.env.APP_ENV || 'local'}`);
  const env = readEnv({ ...process.env, ENV_FILE: file }, repoRoot);
  const problems: string[] = [];
  const values = parseSettings(schema, env, problems);
  const ports = parseSettings(portSchema, env, problems);
  if (!values || !ports) throw new ConfigError(problems);
  return {
    ...values,
    REDIS_HOST: env.REDIS_HOST ?? '127.0.0.1', // empty: no Redis
    ENV_FILE: file,
    isLocal: values.APP_ENV === 'local',
    ports: forEachService((service) => ports[portVariable(service)] ?? defaultPorts[service]),
    env,
  };
}

export const databaseOf = (settings: Settings) => ({
  host: settings.DB_HOST,
  port: settings.DB_PORT,
  user: settings.DB_USER,
  password: settings.DB_PASS,
  database: settings.DB_NAME,
  tls: settings.DB_TLS,
});

export const redisOf = (settings: Settings) => ({
  host: settings.REDIS_HOST,
  port: settings.REDIS_PORT,
  user: settings.env.REDIS_USER || undefined,
  password: settings.REDIS_PASSWORD,
  tls: settings.REDIS_TLS,
});

/** For the services, for Compose, and for commands that use the running shop's database. */
export const variablesOf = ({ env, ports, isLocal, DB_TLS, REDIS_TLS, ...values }: Settings): Env =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [name, String(value ?? '')]));
