import { parseEnv } from 'node:util';
import { readSettings as readBackupSettings } from '@shop/backup/settings';
import { ConfigError, type Env } from '@shop/core/config';
import { loadConfig } from '@shop/core/service';
import { loginVariables, type ServiceTable } from '@shop/shop/services';
import type { Check } from './check';
import { baseCompose, environmentOf, readCompose } from './compose';
import { type DeployFiles, envFiles } from './files';
import { environmentIn, readWorkloads } from './manifests';

/** Read by services, but set by the image instead of the env files. */
const fromTheImage = ['GIT_REVISION'];
/** In the env files, but read by no service. */
const forNginx = ['GATEWAY_PORT', 'CONNECTIONS_PER_CLIENT'];
/** Read by Node and its libraries. */
const forNode = ['NODE_ENV'];
/** Not needed in k8s/, which has no Grafana. */
const notInKubernetes = ['GRAFANA_ADMIN_PASSWORD'];

/** Each is only where it is read. Other settings may be shared. */
const SECRET = /_PASS$|PASSWORD|SECRET|_ACCESS_KEY_ID$|PRIVATE_KEY|FACTOR_KEY/;

/** Checks that exactly the variables that services and backups read are set: in the env files, in Compose, and in each pod. */
export const environmentIsWhatServicesRead: Check = (files, table) => {
  const read = new Set(Object.keys(table).flatMap((service) => [...variablesReadBy(service)]));
  return [
    ...envFileProblems(files, new Set([...read, ...readByMigrate(table), ...readWhile(readBackupSettings, {}).keys])),
    ...composeProblems(files, table, read),
    ...Object.keys(table).flatMap((service) =>
      podProblems(files, service, new Set([...read, ...readByMigrate(table)])),
    ),
    ...migrateProblems(files, table),
  ];
};

/** What a service reads from `env`, and what it says about the values. */
function startedWith(service: string, env: Env): Reading {
  // By name, so that a new service is only an entry of the table and a folder.
  const definition: Parameters<typeof loadConfig>[0] = require(`@shop/${service}`)[`${service}Service`];
  return readWhile((watched) => loadConfig(definition, watched), env);
}

interface Reading {
  keys: Set<string>;
  problems: string[];
}

/** Records the variables that `read` reads. */
function readWhile(read: (env: Env) => unknown, env: Env): Reading {
  const keys = new Set<string>();
  const watched = new Proxy(env, {
    get(target, key) {
      if (typeof key === 'string' && !key.endsWith('_FILE')) keys.add(key);
      return Reflect.get(target, key);
    },
  });
  try {
    read(watched);
    return { keys, problems: [] };
  } catch (error) {
    if (error instanceof ConfigError) return { keys, problems: error.problems };
    throw error;
  }
}

/** The names of database users, which all pods get with the other settings, and their passwords. */
const readByMigrate = (table: ServiceTable): string[] =>
  [...Object.keys(table), 'backup', 'exporter'].flatMap((name) => Object.values(loginVariables(name)));

export const variablesReadBy = (service: string): Set<string> => startedWith(service, { APP_ENV: 'production' }).keys;

function envFileProblems(files: DeployFiles, read: Set<string>): string[] {
  const wanted = [...read, ...forNginx].filter((key) => !fromTheImage.includes(key));
  return envFiles(files).flatMap((file) => {
    const given = Object.keys(parseEnv(files.read(file)));
    return [
      ...wanted.filter((key) => !given.includes(key)).map((key) => `${key} is read but not set`),
      ...given.filter((key) => !wanted.includes(key)).map((key) => `${key} is set but not read`),
    ].map((problem) => `${file}: ${problem}`);
  });
}

/** Compose sets the rest through env_file. A name that no service reads is a typo. */
const composeProblems = (files: DeployFiles, table: ServiceTable, read: Set<string>): string[] =>
  readCompose(files).flatMap(({ file, services }) =>
    Object.keys(table).flatMap((name) => {
      const ownRead = variablesReadBy(name);
      return environmentOf(services[name] ?? {})
        .map(([key]) => key.replace(/_FILE$/, ''))
        .filter((key) => !(SECRET.test(key) ? ownRead : read).has(key) && !forNode.includes(key))
        .map((key) => `${file}: services.${name}.environment: ${key} is set but not read`);
    }),
  );

/** It sets up the database user of every service. */
function migrateProblems(files: DeployFiles, table: ServiceTable): string[] {
  const wanted = Object.keys(table).flatMap((name) => Object.values(loginVariables(name)));
  const container = readWorkloads(files).find(({ metadata }) => metadata.name === 'migrate')?.pod.containers[0];
  const inPod = container ? environmentIn(files, container) : {};
  const inCompose = baseCompose(files).services.migrate?.environment ?? {};
  return wanted.flatMap((key) => [
    ...(key in inPod ? [] : [`k8s/migrate.yaml: ${key} is read but not set`]),
    ...(key in inCompose ? [] : [`docker-compose.yml: services.migrate.environment: ${key} is read but not set`]),
  ]);
}

function podProblems(files: DeployFiles, service: string, readByAny: Set<string>): string[] {
  const file = `k8s/${service}.yaml`;
  const container = readWorkloads(files).find(({ metadata }) => metadata.name === service)?.pod.containers[0];
  if (!container) return [`${file}: there is no Deployment ${service}`];
  const given = environmentIn(files, container);
  const { keys, problems } = startedWith(service, given);
  const own = (container.env ?? []).map(({ name }) => name);
  const missing = [...keys].filter((key) => !(key in given || [...fromTheImage, ...notInKubernetes].includes(key)));
  const unknown = Object.keys(given).filter((key) => !readByAny.has(key) || (own.includes(key) && !keys.has(key)));
  return [
    ...missing.map((key) => `${key} is read but not set`),
    ...unknown.map((key) => `${key} is set but not read`),
    ...problems.map((problem) => `does not start: ${problem}`),
  ].map((problem) => `${file}: Deployment ${service}: ${problem}`);
}
