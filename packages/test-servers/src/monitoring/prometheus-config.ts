import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { parse, stringify } from 'yaml';
import { OperatorError } from '../errors';
import { repoRoot } from '../paths';

/** The host names in monitoring/prometheus.yml, each with the `host:port` of its processes on this machine. */
export type Addresses = Record<string, string[]>;

export interface PrometheusConfigOptions {
  /** The folder for the configuration and the rules. */
  dir: string;
  /** All host names of the file. One without addresses has no process here, and its scrape job is omitted. */
  addresses: Addresses;
  /** The interval of scrapes and rule evaluations, e.g. `1s`. Default: the file's value. */
  interval?: string | undefined;
  /** Changes the text of a rule file, by name. */
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
 * Writes monitoring/prometheus.yml and its rules for this machine. Each host name is replaced with the addresses of its
 * processes, because there is no DNS for them. @returns the main file
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
    if (!Object.hasOwn(addresses, name))
      throw new OperatorError(`monitoring/prometheus.yml names an unknown "${name}"`);
    return addresses[name] ?? [];
  };
  const found = [
    ...dns_sd_configs.flatMap(({ names }) =>
      // DNS discovery sets this label, and the relabeling reads it.
      names.map((name) => ({ targets: targetsOf(name), labels: { __meta_dns_name: name } })),
    ),
    ...static_configs.map(({ targets, ...rest }) => ({
      ...rest,
      targets: targets.flatMap((target) => targetsOf(target.replace(/:\d+$/, ''))),
    })),
  ];
  return { dns_sd_configs: [], static_configs: found.filter(({ targets }) => targets.length > 0) };
}
