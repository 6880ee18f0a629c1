import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { networkInterfaces } from 'node:os';
import { join, resolve } from 'node:path';
import { type ServiceName, serviceNames } from '@shop/shop/services';
import { FleetError } from './errors';
import { limitVariables } from './nginx-limits';

const LIMITS = [
  'RATE_LIMIT_PER_SECOND',
  'RATE_LIMIT_BURST',
  'RATE_LIMIT_UPLOADS_PER_SECOND',
  'RATE_LIMIT_UPLOADS_BURST',
  'CONNECTIONS_PER_CLIENT',
] as const;
export type LimitSettings = { [name in (typeof LIMITS)[number]]?: string | undefined };

export interface NginxOptions {
  /** Everything nginx reads and writes goes here: configuration, pid, logs, temporary files. */
  runDir: string;
  port: number;
  /** One address to listen on. Left out: every IPv4 address and, where the machine has IPv6, every IPv6 one. */
  listenAddress?: string;
  /** `host:port` of every replica. */
  upstreams: Record<ServiceName, string[]>;
  /** The settings that nginx/limits.sh reads; what is left out or empty has its default. */
  limits?: LimitSettings | undefined;
  /** APP_ENV and CORS_ORIGINS as the services get them: nginx's own answers are for browsers of the same origins. */
  appEnv?: string | undefined;
  corsOrigins?: string | undefined;
  /** Source address towards the services, the one that their TRUST_PROXY names. Empty: left to the system. */
  proxyBind?: string;
  /** On loopback, for the Prometheus exporter: Nginx's own figures at /stub_status. Left out: none. */
  statusPort?: number | undefined;
}

// The same place seen from src/ and from dist/.
const NGINX_DIR = resolve(__dirname, '../../../nginx');

/**
 * Writes a complete nginx configuration for this machine under `runDir` and resolves to its main file:
 * `nginx -c FILE -g 'daemon off;'`. The gateway itself is nginx/templates, the same as in containers.
 */
export async function renderNginxConfig(options: NginxOptions): Promise<string> {
  const runDir = resolve(options.runDir);
  if (/["\\$*?[\]\n]/.test(runDir + NGINX_DIR)) {
    throw new FleetError(`nginx cannot use a path with quotes, backslashes, "$" or wildcards: ${runDir}`);
  }
  const template = await readFile(join(NGINX_DIR, 'templates/default.conf.template'), 'utf8');
  const script = await readFile(join(NGINX_DIR, 'limits.sh'), 'utf8');
  const limits = Object.fromEntries(LIMITS.map((name) => [name, options.limits?.[name] ?? '']));
  const gateway = fillIn(template, gatewayVariables(options, runDir, limitVariables(script, limits)));
  const mainFile = join(runDir, 'nginx.conf');

  await Promise.all(['conf.d', 'logs', 'temp'].map((folder) => mkdir(join(runDir, folder), { recursive: true })));
  await Promise.all([
    writeFile(mainFile, mainConfig(runDir, options.statusPort)),
    writeFile(join(runDir, 'conf.d/upstreams.conf'), upstreamGroups(options.upstreams)),
    writeFile(join(runDir, 'conf.d/default.conf'), gateway),
  ]);
  return mainFile;
}

function gatewayVariables(options: NginxOptions, runDir: string, limits: Map<string, string>): Map<string, string> {
  return new Map([
    ...serviceNames.map((service): [string, string] => [`${service.toUpperCase()}_UPSTREAM`, service]),
    ['NGINX_LISTEN', listenDirectives(options.port, options.listenAddress)],
    // Never asked: every upstream here is a group of addresses.
    ['NGINX_RESOLVER', '127.0.0.1'],
    ['NGINX_PROXY_BIND', options.proxyBind ?? '127.0.0.2'],
    ['NGINX_HTML', `"${join(NGINX_DIR, 'html')}"`],
    ['NGINX_ACCESS_LOG', `"${join(runDir, 'logs/access.log')}"`],
    ['APP_ENV', options.appEnv || 'local'],
    ['CORS_ORIGINS', options.corsOrigins ?? ''],
    ['NGINX_HTTPS_ONLY', ''],
    ...limits,
  ]);
}

/** What envsubst does in the official image, except that a name nobody set is an error here. */
function fillIn(template: string, variables: Map<string, string>): string {
  return template.replace(/\$\{([A-Z_]+)\}/g, (_, name: string) => {
    const value = variables.get(name);
    if (value === undefined) throw new Error(`nginx template: nothing to put in for \${${name}}`);
    return value;
  });
}

function listenDirectives(port: number, address: string | undefined): string {
  if (address !== undefined) return `listen ${address.includes(':') ? `[${address}]` : address}:${port};`;
  const hasIpv6 = Object.values(networkInterfaces()).some((list) => list?.some(({ family }) => family === 'IPv6'));
  return hasIpv6 ? `listen ${port}; listen [::]:${port};` : `listen ${port};`;
}

// max_fails=0: each request tries the other replica by itself. Counting failures would, while replicas are replaced in turn,
// take the restarted one for dead at the moment that the other one leaves.
// keepalive_timeout stays under the 5 s after which Node closes an idle connection: a request never meets a closing one.
function upstreamGroups(upstreams: NginxOptions['upstreams']): string {
  return serviceNames
    .map((service) => {
      const replicas = upstreams[service];
      if (replicas.length === 0) throw new Error(`nginx needs at least one address for ${service}`);
      return [
        `upstream ${service} {`,
        `  zone ${service} 64k;`,
        ...replicas.map((address) => `  server ${address} max_fails=0;`),
        '  keepalive 32;',
        '  keepalive_timeout 4s;',
        '}',
        '',
      ].join('\n');
    })
    .join('\n');
}

function mainConfig(runDir: string, statusPort: number | undefined): string {
  const isRoot = process.getuid?.() === 0;
  const temp = (name: string) => `  ${name}_temp_path "${join(runDir, 'temp', name)}";`;
  return [
    // As root, workers would become "nobody", who cannot enter a checkout under /root.
    ...(isRoot ? ['user root;'] : []),
    'worker_processes auto;',
    'worker_rlimit_nofile 16384;',
    'worker_shutdown_timeout 10s;',
    `pid "${join(runDir, 'nginx.pid')}";`,
    `error_log "${join(runDir, 'logs/error.log')}" warn;`,
    'events { worker_connections 4096; }',
    'http {',
    ...['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(temp),
    '  access_log off;',
    '  sendfile on;',
    '  tcp_nopush on;',
    ...statusServer(statusPort),
    `  include "${join(runDir, 'conf.d/*.conf')}";`,
    '}',
    '',
  ].join('\n');
}

const statusServer = (port: number | undefined): string[] =>
  port === undefined
    ? []
    : [`  server { listen 127.0.0.1:${port}; location = /stub_status { stub_status; } location / { return 404; } }`];
