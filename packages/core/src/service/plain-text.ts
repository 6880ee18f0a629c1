import { isIP } from 'node:net';
import type { CoreConfig } from './core-config';

/** Names of Compose, Swarm, Kubernetes and private networks. */
const LOCAL_NAME = /^[^.]+$|\.(localhost|local|internal|svc|lan|home\.arpa)$/i;
const LOCAL_IP = /^(127|10)\.|^192\.168\.|^172\.(1[6-9]|2\d|3[01])\.|^169\.254\.|^(::1$|f[cd]|fe[89ab])/i;

const isOutside = (host: string): boolean => !(isIP(host) ? LOCAL_IP : LOCAL_NAME).test(host);

interface Connections {
  db: Pick<CoreConfig['db'], 'host' | 'tls'>;
  redis: Pick<NonNullable<CoreConfig['redis']>, 'server' | 'tls'> | undefined;
}

/** What is sent in plain text to a server that seems to be outside the deployment's own network. */
export function plainTextWarnings({ db, redis }: Connections): string[] {
  const server = redis?.server;
  const redisHosts = server && !redis.tls ? ('sentinels' in server ? server.sentinels : [server]) : [];
  return [
    ...(!db.tls && isOutside(db.host)
      ? [`the connection to the database at ${db.host} is not encrypted: set DB_TLS`]
      : []),
    ...redisHosts
      .filter(({ host }) => isOutside(host))
      .map(({ host }) => `the connection to Redis at ${host} is not encrypted: set REDIS_TLS`),
  ];
}
