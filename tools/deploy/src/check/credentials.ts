import { loginVariables, type ServiceTable } from '@shop/shop/services';
import type { Check } from './check';
import { composeLayers, environmentOf } from './compose';
import { readWorkloads } from './manifests';

/** The images' own names for our settings. */
const imageNames: Record<string, string> = {
  MYSQL_DATABASE: 'DB_NAME',
  MYSQL_USER: 'DB_USER',
  MYSQL_PASSWORD: 'DB_PASS',
  MYSQL_ROOT_PASSWORD: 'DB_ROOT_PASS',
  MYSQLD_EXPORTER_PASSWORD: 'EXPORTER_DB_PASS',
  GF_SECURITY_ADMIN_PASSWORD: 'GRAFANA_ADMIN_PASSWORD',
  NGINX_TLS_CERTIFICATE: 'TLS_CERTIFICATE',
  NGINX_TLS_KEY: 'TLS_KEY',
};

/** The setting behind a variable: `DB_PASS` for `DB_PASS_FILE` and `MYSQL_PASSWORD`, and in a service its own, such as `AUTH_DB_PASS`. */
function settingOf(variable: string, container: string, table: ServiceTable): string {
  const name = variable.replace(/_FILE$/, '');
  if (container in table && name === 'DB_USER') return loginVariables(container).user;
  if (container in table && name === 'DB_PASS') return loginVariables(container).password;
  return imageNames[name] ?? name;
}

/**
 * Checks that each setting comes from the key, shell variable or secret of the same name, and that what is a secret in Swarm
 * does not come from the shell there: production would start with the development default.
 */
export const settingsComeFromTheirOwnNames: Check = (files, table) => [
  ...readWorkloads(files).flatMap(({ at, pod }) =>
    pod.containers.flatMap(({ name: container, env = [] }) =>
      env.flatMap(({ name, valueFrom }) => {
        const setting = settingOf(name, container, table);
        const key = (valueFrom?.secretKeyRef ?? valueFrom?.configMapKeyRef)?.key ?? setting;
        return key === setting ? [] : [`${at} env ${name}: comes from key ${key}, not ${setting}`];
      }),
    ),
  ),
  ...composeLayers(files).flatMap(({ file, services, secrets = {} }) =>
    Object.entries(services).flatMap(([service, { environment = {}, secrets: mounted = [] }]) =>
      environmentOf({ environment }).flatMap(([name, value]) => {
        const setting = settingOf(name, service, table);
        const [, variable = setting] = /^\$\{(\w+)/.exec(value) ?? [];
        const [, secret] = /\/run\/secrets\/([\w-]+)/.exec(value) ?? [];
        // Swarm does not override a value with an empty one. The variable with _FILE takes precedence.
        const isFromShell = value.startsWith('${') && ![name, setting].some((one) => `${one}_FILE` in environment);
        return [
          ...(variable !== setting ? [`comes from ${variable}, not from ${setting}`] : []),
          ...(isFromShell && setting.toLowerCase() in secrets
            ? [`comes from the shell, but ${setting} is a secret`]
            : []),
          ...(secret && secret !== setting.toLowerCase() ? [`is secret ${secret}, not ${setting}`] : []),
          ...(secret && !mounted.includes(secret) ? [`the service does not have the secret ${secret}`] : []),
        ].map((problem) => `${file}: services.${service} ${name}: ${problem}`);
      }),
    ),
  ),
];
