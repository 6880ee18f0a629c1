import type { ServiceTable } from '@shop/shop/services';

/** The ports on which the images listen, by the name of the Compose service or container. */
const imagePorts: Record<string, number[]> = {
  db: [3306],
  redis: [6379],
  'nginx-exporter': [9113],
  'mysqld-exporter': [9104],
  'redis-exporter': [9121],
  'node-exporter': [9100],
  'blackbox-exporter': [9115],
  prometheus: [9090],
  alertmanager: [9093],
  grafana: [3000],
  loki: [3100],
  'fluent-bit': [2020],
  mailpit: [1025, 8025],
};

/** nginx.conf has this port for stub_status. The others are in NGINX_LISTEN. */
const nginxStatusPort = 8090;

export function listeningPorts(name: string, environment: Record<string, string>, table: ServiceTable): number[] {
  if (name !== 'nginx') return imagePorts[name] ?? [table[name]?.port ?? 0];
  const listened = [...(environment.NGINX_LISTEN ?? '').matchAll(/listen (\d+)/g)];
  return [nginxStatusPort, ...listened.map(([, port]) => Number(port))];
}

export type Address = [host: string, port: number];

/** Every `host:port` in a text. */
export const addressesIn = (text: string): Address[] =>
  [...text.matchAll(/(?<![\w.-])([a-z][a-z\d.-]*|127\.0\.0\.1):(\d{2,5})\b/g)].map(([, host = '', port]) => [
    host,
    Number(port),
  ]);

/** Every `host:port` in an environment, and each `X_HOST` with its `X_PORT`. */
export const addressesOf = (environment: Record<string, string>): Address[] =>
  Object.entries(environment).flatMap(([key, value]) => {
    const port = environment[key.replace(/_HOST$/, '_PORT')];
    return key.endsWith('_HOST') && value && port ? [[value, Number(port)]] : addressesIn(value);
  });
