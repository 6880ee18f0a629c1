import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { requireProgram } from '../binaries';
import type { DatabaseSettings } from '../database';
import { repoRoot } from '../paths';
import type { RedisSettings } from '../redis-server';
import { type Server, type ServerEvents, server } from '../server';
import { renderAlertmanagerConfig } from './alertmanager-config';
import { type PrometheusConfigOptions, renderPrometheusConfig } from './prometheus-config';

/** Common options: the port on loopback, the data folder and the log file. */
export interface MonitorOptions extends ServerEvents {
  port: number;
  /** For configuration and data. */
  dir: string;
  logFile: string;
  dieWithParent?: boolean | undefined;
}

type Launch = { args: string[]; env?: NodeJS.ProcessEnv };

interface MonitorSpec {
  name:
    | 'prometheus'
    | 'alertmanager'
    | 'nginx-exporter'
    | 'mysqld-exporter'
    | 'redis-exporter'
    | 'node-exporter'
    | 'blackbox-exporter';
  /** The path that responds with 200 when the server is ready. */
  probe: string;
  launch: () => Promise<Launch>;
}

function monitor({ port, dir, ...options }: MonitorOptions, { name, probe, launch }: MonitorSpec): Server {
  const binary = requireProgram(name);
  return server({
    ...options,
    name,
    host: '127.0.0.1',
    port,
    healthUrl: `http://127.0.0.1:${port}${probe}`,
    launch: async () => {
      await mkdir(dir, { recursive: true });
      const { args, env } = await launch();
      const { dieWithParent } = options;
      return { command: binary, args, cwd: dir, env: { ...process.env, ...env }, dieWithParent };
    },
  });
}

const listen = ({ port }: MonitorOptions) => `--web.listen-address=127.0.0.1:${port}`;

/** Prometheus with the repository's configuration, rendered on every start. It keeps its data for 200 hours. */
export const prometheusServer = (
  options: MonitorOptions & Omit<PrometheusConfigOptions, 'dir'> & { environment: string },
): Server =>
  monitor(options, {
    name: 'prometheus',
    probe: '/-/ready',
    launch: async () => ({
      args: [
        `--config.file=${await renderPrometheusConfig({ ...options, dir: path.join(options.dir, 'config') })}`,
        `--storage.tsdb.path=${path.join(options.dir, 'data')}`,
        '--storage.tsdb.retention.time=200h',
        '--enable-feature=expand-external-labels',
        listen(options),
      ],
      env: {
        APP_ENV: options.environment,
        RUNBOOKS_URL: process.env.RUNBOOKS_URL ?? path.join(repoRoot, 'docs/runbooks'),
      },
    }),
  });

/** A single Alertmanager. The label `environment` selects an alert's receiver; in `local` nobody is notified. */
export const alertmanagerServer = (options: MonitorOptions & { secrets?: string }): Server =>
  monitor(options, {
    name: 'alertmanager',
    probe: '/-/ready',
    launch: async () => ({
      args: [
        `--config.file=${await renderAlertmanagerConfig({ dir: options.dir, secrets: options.secrets ?? '/run/secrets' })}`,
        `--storage.path=${path.join(options.dir, 'data')}`,
        '--cluster.listen-address=',
        listen(options),
      ],
    }),
  });

export const nginxExporter = (options: MonitorOptions & { statusPort: number }): Server =>
  monitor(options, {
    name: 'nginx-exporter',
    probe: '/metrics',
    launch: async () => ({
      args: [`--nginx.scrape-uri=http://127.0.0.1:${options.statusPort}/stub_status`, listen(options)],
    }),
  });

/** Uses the services' login: every user may read global status and variables, and the exporter needs nothing else. */
export const mysqldExporter = (options: MonitorOptions & { database: DatabaseSettings }): Server =>
  monitor(options, {
    name: 'mysqld-exporter',
    probe: '/metrics',
    launch: async () => {
      const { host, port, user, password } = options.database;
      // Not DATA_SOURCE_NAME, which exporters no longer read since 0.15. A password may contain any character but a backtick.
      const login = `[client]\nhost=${host}\nport=${port}\nuser=\`${user}\`\npassword=\`${password}\`\n`;
      const file = path.join(options.dir, 'my.cnf');
      await writeFile(file, login, { mode: 0o600 });
      return {
        args: [
          `--config.my-cnf=${file}`,
          '--no-collect.slave_status',
          '--no-collect.info_schema.innodb_cmp',
          '--no-collect.info_schema.innodb_cmpmem',
          '--no-collect.info_schema.query_response_time',
          listen(options),
        ],
        env: { DATA_SOURCE_NAME: undefined },
      };
    },
  });

export const redisExporter = (options: MonitorOptions & { redis: RedisSettings }): Server =>
  monitor(options, {
    name: 'redis-exporter',
    probe: '/metrics',
    launch: async () => {
      const { host, port, password } = options.redis;
      return {
        args: [`--redis.addr=redis://${host}:${port}`, listen(options)],
        // Not on the command line, which every user can read.
        env: { REDIS_PASSWORD: password },
      };
    },
  });

export const nodeExporter = (options: MonitorOptions): Server =>
  monitor(options, {
    name: 'node-exporter',
    probe: '/metrics',
    launch: async () => ({ args: ['--collector.disable-defaults', '--collector.filesystem', listen(options)] }),
  });

/** Probes what `/probe?module=…&target=…` names, with the modules of monitoring/blackbox.yml. */
export const blackboxExporter = (options: MonitorOptions): Server =>
  monitor(options, {
    name: 'blackbox-exporter',
    probe: '/metrics',
    launch: async () => ({
      args: [`--config.file=${path.join(repoRoot, 'monitoring/blackbox.yml')}`, listen(options)],
    }),
  });
