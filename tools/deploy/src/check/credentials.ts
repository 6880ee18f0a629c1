import type { Check } from './check';
import { composeLayers, environmentOf } from './compose';
import { readWorkloads } from './manifests';

/** The images' own names for our settings. */
const imageNames: Record<string, string> = {
  MYSQL_DATABASE: 'DB_NAME',
  MYSQL_USER: 'DB_USER',
  MYSQL_PASSWORD: 'DB_PASS',
  MYSQL_ROOT_PASSWORD: 'DB_ROOT_PASS',
  MYSQLD_EXPORTER_PASSWORD: 'DB_PASS',
  GF_SECURITY_ADMIN_PASSWORD: 'GRAFANA_ADMIN_PASSWORD',
  NGINX_TLS_CERTIFICATE: 'TLS_CERTIFICATE',
  NGINX_TLS_KEY: 'TLS_KEY',
};

/** The setting behind a variable: `DB_PASS` for `DB_PASS_FILE` and `MYSQL_PASSWORD`. */
function settingOf(variable: string): string {
  const name = variable.replace(/_FILE$/, '');
  return imageNames[name] ?? name;
}

/**
 * Checks that each setting comes from the key, shell variable or secret of the same name, and that what is a secret in Swarm
 * does not come from the shell there: production would start with the development default.
 */
export const settingsComeFromTheirOwnNames: Check = (files) => [
  ...readWorkloads(files).flatMap(({ at, pod }) =>
    pod.containers
      .flatMap(({ env = [] }) => env)
      .flatMap(({ name, valueFrom }) => {
        const key = (valueFrom?.secretKeyRef ?? valueFrom?.configMapKeyRef)?.key ?? settingOf(name);
        return key === settingOf(name) ? [] : [`${at} env ${name}: comes from key ${key}, not ${settingOf(name)}`];
      }),
  ),
  ...composeLayers(files).flatMap(({ file, services, secrets = {} }) =>
    Object.entries(services).flatMap(([service, { environment = {}, secrets: mounted = [] }]) =>
      environmentOf({ environment }).flatMap(([name, value]) => {
        const setting = settingOf(name);
        const [, variable = setting] = /^\$\{(\w+)/.exec(value) ?? [];
        const [, secret] = /\/run\/secrets\/([\w-]+)/.exec(value) ?? [];
        // Swarm does not override a value with an empty one. The variable with _FILE takes precedence.
        const isFromShell = value.startsWith('${') && !(`${setting}_FILE` in environment);
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
