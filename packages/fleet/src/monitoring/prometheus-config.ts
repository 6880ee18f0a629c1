import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { parse, stringify } from 'yaml';
import { FleetError } from '../errors';
import { repoRoot } from '../paths';

/** Host names of monitoring/prometheus.yml, and the `host:port` of each process behind them on this machine. */
export type Addresses = Record<string, string[]>;

export interface PrometheusConfigOptions {
  /** Where the configuration and the rules are written. */
  dir: string;
  /** All of its names. One without addresses has no process here: what is scraped from it alone is left out. */
  addresses: Addresses;
  /** How often targets are scraped and rules evaluated, e.g. `1s`. Left out: as the file says. */
  interval?: string | undefined;
  /** A last word about the rule files' text, by name. */
  editRules?: ((text: string, file: string) => string) | undefined;
}

interface Discovery {
  dns_sd_configs?: { names: string[] }[];
  static_configs?: { targets: string[]; labels?: Record<string, string> }[];
}

interface PrometheusYml {
  global: Record<string, unknown>;
  rule_files: string[];
  alerting: { alertmanagers: Discovery[] };
  scrape_configs: (Discovery & { job_name: string })[];
}

const monitoringDir = path.join(repoRoot, 'monitoring');

/**
 * Writes monitoring/prometheus.yml and its rules for this machine, where no DNS knows the services: each name is replaced by
 * the addresses of its processes, the rest stays. Resolves to the main file.
 */
export async function renderPrometheusConfig(options: PrometheusConfigOptions): Promise<string> {
  const { dir, addresses, interval, editRules = (text) => text } = options;
  const config: PrometheusYml = parse(await readFile(path.join(monitoringDir, 'prometheus.yml'), 'utf8'));
  const local = (discovery: Discovery): Discovery => onThisMachine(discovery, addresses);
  const jobs = config.scrape_configs.map((job) => ({ ...job, ...local(job) }));
  const rendered: PrometheusYml = {
    ...config,
    global: { ...config.global, ...(interval && everyInterval(interval)) },
    alerting: { alertmanagers: config.alerting.alertmanagers.map(local) },
    scrape_configs: jobs.filter(({ static_configs }) => static_configs?.length),
  };
  await mkdir(dir, { recursive: true });
  for (const file of config.rule_files) {
    const text = await readFile(path.join(monitoringDir, file), 'utf8');
    await writeFile(path.join(dir, file), editRules(text, file));
  }
  const main = path.join(dir, 'prometheus.yml');
  await writeFile(main, stringify(rendered));
  return main;
}

const everyInterval = (interval: string) => ({
  scrape_interval: interval,
  scrape_timeout: interval,
  evaluation_interval: interval,
});

function onThisMachine({ dns_sd_configs = [], static_configs = [] }: Discovery, addresses: Addresses): Discovery {
  const targetsOf = (name: string) => {
    if (!Object.hasOwn(addresses, name)) throw new FleetError(`monitoring/prometheus.yml names an unknown "${name}"`);
    return addresses[name] ?? [];
  };
  const found = [
    ...dns_sd_configs.flatMap(({ names }) =>
      // The label that DNS discovery gives, for the relabelling that reads it.
      names.map((name) => ({ targets: targetsOf(name), labels: { __meta_dns_name: name } })),
    ),
    ...static_configs.map(({ targets, ...rest }) => ({
      ...rest,
      targets: targets.flatMap((target) => targetsOf(target.replace(/:\d+$/, ''))),
    })),
  ];
  return { dns_sd_configs: [], static_configs: found.filter(({ targets }) => targets.length > 0) };
}
