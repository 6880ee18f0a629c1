import { parseEnv } from 'node:util';
import { addressService } from '@shop/address';
import { authService } from '@shop/auth';
import { ConfigError, type Env } from '@shop/core/config';
import { loadConfig } from '@shop/core/service';
import { fileService } from '@shop/file';
import { productService } from '@shop/product';
import { storeService } from '@shop/store';
import { transactionService } from '@shop/transaction';
import { environmentOf, readCompose } from './compose';
import type { DeployFiles } from './files';
import { type Container, type Manifest, ofKind, readManifests, workloads } from './manifests';
import type { Check, Found } from './problem';

const definitions = [authService, productService, transactionService, addressService, storeService, fileService];
type Definition = (typeof definitions)[number];

/** Read by services, but set by the image instead of the env files. */
const fromTheImage = ['GIT_REVISION'];
/** In the env files, but read by no service. */
const forNginx = ['GATEWAY_PORT', 'CONNECTIONS_PER_CLIENT'];
/** Read by Node and its libraries. */
const forNode = ['NODE_ENV'];
/** Not needed in k8s/, which has no Grafana. */
const notInKubernetes = ['GRAFANA_ADMIN_PASSWORD'];

/** Checks that exactly the variables that services read are set: in the env files, in Compose, and in each pod. */
export const environmentIsWhatServicesRead: Check = (files) => [
  ...envFileProblems(files),
  ...composeProblems(files),
  ...podProblems(files),
];

/** The variables that a service reads, recorded while it reads them. */
function readBy(definition: Definition, env: Env): { keys: Set<string>; problems: string[] } {
  const keys = new Set<string>();
  const watched = new Proxy(env, {
    get(target, key) {
      if (typeof key === 'string' && !key.endsWith('_FILE')) keys.add(key);
      return Reflect.get(target, key);
    },
  });
  // A variable that comes from a file is only checked under its name with _FILE.
  const fileKeys = Object.keys(env).filter((key) => key.endsWith('_FILE'));
  for (const key of fileKeys) keys.add(key.slice(0, -'_FILE'.length));
  try {
    loadConfig(definition, watched);
    return { keys, problems: [] };
  } catch (error) {
    if (error instanceof ConfigError) return { keys, problems: error.problems };
    throw error;
  }
}

const everyKeyRead = (): Set<string> =>
  new Set(definitions.flatMap((definition) => [...readBy(definition, { APP_ENV: 'production' }).keys]));

/** The services that read the variable. */
export const readersOf = (key: string): string[] =>
  definitions
    .filter((definition) => readBy(definition, { APP_ENV: 'production' }).keys.has(key))
    .map(({ name }) => name);

function envFileProblems(files: DeployFiles): Found[] {
  const wanted = new Set([...everyKeyRead(), ...forNginx].filter((key) => !fromTheImage.includes(key)));
  const envFiles = files.paths.filter((file) => file.startsWith('.env.'));
  return envFiles.flatMap((file) => difference(file, '', new Set(Object.keys(parseEnv(files.read(file)))), wanted));
}

function difference(file: string, at: string, given: Set<string>, wanted: Set<string>): Found[] {
  return [
    ...[...wanted].filter((key) => !given.has(key)).map((key) => ({ file, at, message: `${key} is read but not set` })),
    ...[...given].filter((key) => !wanted.has(key)).map((key) => ({ file, at, message: `${key} is set but not read` })),
  ];
}

const withoutFile = (key: string): string => key.replace(/_FILE$/, '');

/** Compose sets the rest through env_file, with the same block for all six. A name that no service reads is a typo. */
function composeProblems(files: DeployFiles): Found[] {
  const read = new Set([...everyKeyRead(), ...forNode]);
  return readCompose(files).flatMap(({ file, services }) =>
    definitions.flatMap(({ name }) =>
      [...environmentOf(services[name] ?? {}).keys()]
        .filter((key) => !read.has(withoutFile(key)))
        .map((key) => ({ file, at: `services.${name}.environment`, message: `${key} is set but not read` })),
    ),
  );
}

function podProblems(files: DeployFiles): Found[] {
  const manifests = readManifests(files);
  const pods = workloads(manifests);
  const notAsked = new Set([...fromTheImage, ...notInKubernetes]);
  const everything = everyKeyRead();
  return definitions.flatMap((definition): Found[] => {
    const workload = pods.find(({ metadata }) => metadata.name === definition.name);
    const container = workload?.pod.containers[0];
    if (!workload || !container) return [{ file: 'k8s', at: '', message: `there is no Deployment ${definition.name}` }];
    const given = givenTo(container, manifests);
    const { keys, problems } = readBy(definition, given);
    const where = (message: string): Found => ({ file: workload.file, at: workload.at, message });
    return [
      ...[...keys]
        .filter((key) => !(key in given || notAsked.has(key)))
        .map((key) => where(`${key} is read but not set`)),
      ...Object.keys(given)
        .filter((key) => !everything.has(key) || (isOwn(container, key) && !keys.has(key)))
        .map((key) => where(`${key} is set but not read`)),
      ...problems.map((problem) => where(`does not start: ${problem}`)),
    ];
  });
}

/** Variables set for this container only, not for all through the shared ConfigMap. */
const isOwn = ({ env = [] }: Container, key: string): boolean => env.some(({ name }) => name === key);

export function givenTo({ env = [], envFrom = [] }: Container, manifests: Manifest[]): Env {
  const data = (kind: string, name: string | undefined) =>
    ofKind(manifests, kind).find(({ metadata }) => metadata.name === name)?.data ?? {};
  const given: Env = {};
  for (const { configMapRef, secretRef } of envFrom) {
    Object.assign(given, data('ConfigMap', configMapRef?.name), data('Secret', secretRef?.name));
  }
  for (const { name, value = '', valueFrom } of env) {
    const { configMapKeyRef: map, secretKeyRef: secret } = valueFrom ?? {};
    given[name] = map ? data('ConfigMap', map.name)[map.key] : secret ? data('Secret', secret.name)[secret.key] : value;
  }
  return given;
}
