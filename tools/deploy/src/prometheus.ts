import type { DeployFiles } from './files';
import { yamlValues } from './yaml';

interface Discovery {
  dns_sd_configs?: { names: string[]; port?: number }[];
  static_configs?: { targets: string[] }[];
}

export interface Target {
  host: string;
  port: number;
}

/** The targets of monitoring/prometheus.yml, and where it sends alerts. */
export function prometheusTargets(files: DeployFiles): { file: string; targets: Target[] } {
  const file = 'monitoring/prometheus.yml';
  const [value] = yamlValues(files, file) as {
    scrape_configs?: Discovery[];
    alerting?: { alertmanagers?: Discovery[] };
  }[];
  const discoveries = [...(value?.scrape_configs ?? []), ...(value?.alerting?.alertmanagers ?? [])];
  const targets = discoveries.flatMap(({ dns_sd_configs = [], static_configs = [] }) => [
    ...dns_sd_configs.flatMap(({ names, port = 0 }) => names.map((host) => ({ host, port }))),
    ...static_configs.flatMap((group) =>
      group.targets.map((target) => {
        const [host = '', port] = target.split(':');
        return { host, port: Number(port) };
      }),
    ),
  ]);
  return { file, targets };
}
