import { baseOf, type ComposeFile, type ComposeService, environmentOf, inEachLayer, readCompose } from './compose';
import type { DeployFiles } from './files';
import { readManifests, workloads } from './manifests';
import type { Check, Found } from './problem';
import { yamlValues } from './yaml';

/** The images' own names for our settings. */
const imageNames: Record<string, string> = {
  MYSQL_DATABASE: 'DB_NAME',
  MYSQL_USER: 'DB_USER',
  MYSQL_PASSWORD: 'DB_PASS',
  MYSQLD_EXPORTER_PASSWORD: 'DB_PASS',
  GF_SECURITY_ADMIN_PASSWORD: 'GRAFANA_ADMIN_PASSWORD',
  NGINX_TLS_CERTIFICATE: 'TLS_CERTIFICATE',
  NGINX_TLS_KEY: 'TLS_KEY',
};

const fromOutside = new Set(Object.entries(imageNames).flat());

/** The setting behind a variable: `DB_PASS` for `DB_PASS_FILE` and `MYSQL_PASSWORD`. */
function settingOf(variable: string): string {
  const name = variable.replace(/_FILE$/, '');
  return imageNames[name] ?? name;
}

/** Checks that each setting comes from the key, shell variable or secret of the same name. */
export const settingsComeFromTheirOwnNames: Check = (files) => {
  const all = readCompose(files);
  return [
    ...kubernetesKeys(files),
    ...all.flatMap((file) => shellVariables(file, file === baseOf(all))),
    ...all.flatMap(({ file }) => defaults(file, files)),
    ...inEachLayer(files, secretFiles),
    ...all.flatMap((overlay) => leftToTheShell(overlay, baseOf(all))),
  ];
};

const kubernetesKeys = (files: DeployFiles): Found[] =>
  workloads(readManifests(files)).flatMap(({ file, at, pod }) =>
    [...(pod.initContainers ?? []), ...pod.containers].flatMap(({ env = [] }) =>
      env.flatMap(({ name, valueFrom }) => {
        const key = (valueFrom?.secretKeyRef ?? valueFrom?.configMapKeyRef)?.key;
        const wanted = settingOf(name);
        return key === undefined || key === wanted
          ? []
          : [{ file, at: `${at} env ${name}`, message: `comes from key ${key}, not ${wanted}` }];
      }),
    ),
  );

const variablesOf = ({ file, services }: ComposeFile) =>
  Object.entries(services).flatMap(([service, definition]) =>
    [...environmentOf(definition)].map(([name, value]) => {
      return { service, file, at: `services.${service} ${name}`, name, value, wanted: settingOf(name) };
    }),
  );

/** `NAME: ${NAME…}`. In the base file these settings must be written like that, not as literals. */
const shellVariables = (compose: ComposeFile, isBase: boolean): Found[] =>
  variablesOf(compose).flatMap(({ file, at, name, value, wanted }) => {
    const variable = /^\$\{(\w+)/.exec(value)?.[1];
    if (variable === undefined ? !(isBase && fromOutside.has(name)) : variable === wanted) return [];
    return [{ file, at, message: `comes from ${variable ?? 'nowhere'}, not from \${${wanted}}` }];
  });

/** `${NAME:-default}`: each name must have the same default throughout a file. */
function defaults(file: string, files: DeployFiles): Found[] {
  const text = JSON.stringify(yamlValues(files, file));
  const defaultsOf = new Map<string, Set<string>>();
  for (const [, name = '', value = ''] of text.matchAll(/(?<!\$)\$\{(\w+):?-([^}]*)\}/g)) {
    defaultsOf.set(name, (defaultsOf.get(name) ?? new Set()).add(`"${value}"`));
  }
  return [...defaultsOf]
    .filter(([, values]) => values.size > 1)
    .map(([name, values]) => ({ file, at: name, message: `has the defaults ${[...values].join(' and ')}` }));
}

const secretsOf = ({ secrets = [] }: ComposeService): string[] =>
  secrets.map((used) => (typeof used === 'string' ? used : used.source));

/** `/run/secrets/name` must be the setting's own secret, and the service must mount it. */
const secretFiles = (compose: ComposeFile): Found[] =>
  variablesOf(compose).flatMap(({ service, file, at, value, wanted }) => {
    const secret = /\/run\/secrets\/([\w-]+)/.exec(value)?.[1];
    if (secret === undefined) return [];
    return [
      ...(secret === wanted.toLowerCase() ? [] : [{ file, at, message: `is secret ${secret}, not ${wanted}` }]),
      ...(secretsOf(compose.services[service] ?? {}).includes(secret)
        ? []
        : [{ file, at, message: `the service does not have the secret ${secret}` }]),
    ];
  });

/** If one service of an overlay gets a setting from a secret, no other service may still get it from the base file. */
function leftToTheShell(overlay: ComposeFile, base: ComposeFile): Found[] {
  const given = variablesOf(overlay);
  const secret = new Set(given.filter(({ value }) => value.includes('/run/secrets/')).map(({ wanted }) => wanted));
  return variablesOf(base)
    .filter(({ wanted }) => secret.has(wanted))
    .filter(({ service, wanted }) => !given.some((each) => each.service === service && each.wanted === wanted))
    .map(({ at, wanted }) => ({
      file: overlay.file,
      at,
      message: `${wanted} is a secret in other services, but not here`,
    }));
}
