import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { networkInterfaces } from 'node:os';
import { join, resolve } from 'node:path';
import { type ServiceName, serviceNames } from '@shop/shop/services';
import { OperatorError } from './errors';
import { limitVariables } from './nginx-limits';

const LIMITS = [
  'RATE_LIMIT_PER_SECOND',
  'RATE_LIMIT_BURST',
  'RATE_LIMIT_UPLOADS_PER_SECOND',
  'RATE_LIMIT_UPLOADS_BURST',
  'CONNECTIONS_PER_CLIENT',
] as const;
type LimitSettings = { [name in (typeof LIMITS)[number]]?: string | undefined };

export interface NginxOptions {
  /** For all files of nginx: configuration, pid, logs, temporary files. */
  runDir: string;
  port: number;
  /** One IP to listen on. Default: all IPv4 addresses and, if the machine has IPv6, all IPv6 addresses. */
  listenAddress?: string;
  /** `host:port` of every replica. */
  upstreams: Record<ServiceName, string[]>;
  /** The settings that nginx/limits.sh reads. Absent or empty ones have defaults. */
  limits?: LimitSettings | undefined;
  /** The services' APP_ENV and CORS_ORIGINS, so that nginx's own responses allow the same origins. */
  appEnv?: string | undefined;
  corsOrigins?: string | undefined;
  /** Source IP of connections to the services, which their TRUST_PROXY names. Empty: chosen by the system. */
  proxyBind?: string;
  /** The folder with openapi.json and, if it has been built, storefront/. Default: nginx/html. */
  htmlDir?: string;
  /** A port on loopback for the Prometheus exporter, with statistics at /stub_status. Default: none. */
  statusPort?: number | undefined;
}

// The same path from src/ and from dist/.
const NGINX_DIR = resolve(__dirname, '../../../nginx');

/**
 * Writes a complete nginx configuration for local runs to `runDir` and returns its main file, for
 * `nginx -c FILE -g 'daemon off;'`. The gateway itself is nginx/templates, the same as in containers.
 */
export async function renderNginxConfig(options: NginxOptions): Promise<string> {
  const runDir = resolve(options.runDir);
  if (/["\\$*?[\]\n]/.test(runDir + NGINX_DIR)) {
    throw new OperatorError(`nginx cannot use a path with quotes, backslashes, "$" or wildcards: ${runDir}`);
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
    // Not used: every upstream here is a group of IPs.
    ['NGINX_RESOLVER', '127.0.0.1'],
    ['NGINX_PROXY_BIND', options.proxyBind ?? '127.0.0.2'],
    ['NGINX_HTML', `"${options.htmlDir ?? join(NGINX_DIR, 'html')}"`],
    ['NGINX_CACHE', `"${join(runDir, 'temp/cache')}"`],
    ['NGINX_ACCESS_LOG', `"${join(runDir, 'logs/access.log')}"`],
    ['APP_ENV', options.appEnv || 'local'],
    ['CORS_ORIGINS', options.corsOrigins ?? ''],
    ['NGINX_HTTPS_ONLY', ''],
    ...limits,
  ]);
}

/** Does the same as envsubst in the official image, except that an unset variable is an error. */
function fillIn(template: string, variables: Map<string, string>): string {
  return template.replace(/\$\{([A-Z_]+)\}/g, (_, name: string) => {
    const value = variables.get(name);
    if (value === undefined) throw new Error(`nginx template: no value for \${${name}}`);
    return value;
  });
}

function listenDirectives(port: number, address: string | undefined): string {
  if (address !== undefined) return `listen ${address.includes(':') ? `[${address}]` : address}:${port};`;
  const hasIpv6 = Object.values(networkInterfaces()).some((list) => list?.some(({ family }) => family === 'IPv6'));
  return hasIpv6 ? `listen ${port}; listen [::]:${port};` : `listen ${port};`;
}

// max_fails=0: each request tries the other replica on its own. If failures were counted while replicas are replaced in turn,
// nginx would consider the restarted one dead just when the other one stops.
// keepalive_timeout stays below the 5 s after which Node closes an idle connection, so no request is sent on a closing one.
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
    // As root, workers would run as "nobody", who has no access to a clone below /root.
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
