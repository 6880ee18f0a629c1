import path from 'node:path';
import type { Program } from '../binaries';
import type { DatabaseSettings } from '../database';
import type { Fleet } from '../fleet';
import { nextFreePort } from '../ports';
import type { RedisSettings } from '../redis-server';
import type { Server, ServerEvents } from '../server';
import { serviceNames } from '../services';
import type { Addresses, PrometheusConfigOptions } from './prometheus-config';
import {
  alertmanagerServer,
  type MonitorOptions,
  mysqldExporter,
  nginxExporter,
  nodeExporter,
  prometheusServer,
  redisExporter,
} from './servers';

/** The programs, named as in scripts/ensure-binaries.sh, and their ports in containers. */
const monitorPorts = {
  prometheus: 9090,
  alertmanager: 9093,
  'node-exporter': 9100,
  'mysqld-exporter': 9104,
  'nginx-exporter': 9113,
  'redis-exporter': 9121,
} as const satisfies Partial<Record<Program, number>>;

export type MonitorName = keyof typeof monitorPorts;
export const monitorNames = Object.keys(monitorPorts) as MonitorName[];

async function usualPorts(log: (line: string) => void): Promise<Record<MonitorName, number>> {
  const ports: Record<MonitorName, number> = { ...monitorPorts };
  for (const name of monitorNames) ports[name] = await nextFreePort(monitorPorts[name], name, log);
  return ports;
}

export interface MonitoringOptions extends ServerEvents, Pick<PrometheusConfigOptions, 'interval' | 'editRules'> {
  fleet: Pick<Fleet, 'instances'>;
  /** The port of Nginx's own statistics: the fleet's `statusPort`. */
  statusPort: number;
  database: DatabaseSettings;
  /** Absent: no exporter for it. */
  redis?: RedisSettings | undefined;
  /** For the configuration and Prometheus' data. */
  dir: string;
  logDir: string;
  /** Default: the usual ports, or the next free ones, which it logs. */
  ports?: Record<MonitorName, number>;
  log?: (line: string) => void;
  /** The label on every alert, which selects the receiver: `local`, `testnet`, `production`. */
  environment: string;
  dieWithParent?: boolean | undefined;
}

export interface Monitoring {
  readonly prometheus: Server;
  readonly alertmanager: Server;
  readonly servers: readonly Server[];
  /** Resolves when everything is ready. */
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** Prometheus, Alertmanager and the exporters for a fleet on this machine, with the files of monitoring/. Not started yet. */
export async function createMonitoring(options: MonitoringOptions): Promise<Monitoring> {
  const ports = options.ports ?? (await usualPorts(options.log ?? (() => undefined)));
  const { fleet, statusPort, database, redis, dir, logDir, dieWithParent, onDeath } = options;
  const common = (name: MonitorName): MonitorOptions => ({
    port: ports[name],
    dir: path.join(dir, name),
    logFile: path.join(logDir, `${name}.log`),
    dieWithParent,
    onDeath,
  });
  const { environment, interval, editRules } = options;
  const exporters = [
    nodeExporter(common('node-exporter')),
    nginxExporter({ ...common('nginx-exporter'), statusPort }),
    mysqldExporter({ ...common('mysqld-exporter'), database }),
    ...(redis ? [redisExporter({ ...common('redis-exporter'), redis })] : []),
  ];
  const alertmanager = alertmanagerServer(common('alertmanager'));
  const addresses = addressesOf(fleet, [...exporters, alertmanager], ports.prometheus);
  const prometheus = prometheusServer({ ...common('prometheus'), addresses, environment, interval, editRules });
  const servers = [...exporters, alertmanager, prometheus];
  return {
    prometheus,
    alertmanager,
    servers,
    start: async () => {
      await Promise.all(servers.map((one) => one.start()));
    },
    stop: async () => {
      await Promise.all(servers.map((one) => one.stop()));
    },
  };
}

function addressesOf({ instances }: Pick<Fleet, 'instances'>, servers: Server[], prometheusPort: number): Addresses {
  const at = (name: string) => servers.filter((one) => one.name === name).map(({ host, port }) => `${host}:${port}`);
  const addresses: Addresses = { localhost: [`127.0.0.1:${prometheusPort}`] };
  // A fleet on this machine has no certificate to watch, and its logs are files.
  for (const name of ['blackbox-exporter', 'loki', 'fluent-bit']) addresses[name] = [];
  for (const name of monitorNames) if (name !== 'prometheus') addresses[name] = at(name);
  for (const service of serviceNames) {
    addresses[service] = instances.filter((one) => one.service === service).map(({ host, port }) => `${host}:${port}`);
  }
  return addresses;
}
