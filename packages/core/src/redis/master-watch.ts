import { Redis } from 'ioredis';
import { loginOptions, type RedisConfig, serverOptions } from './redis-config';

const RESUBSCRIBE_DELAY_MS = 1000;

/**
 * Leaves a server as soon as a sentinel says that it is no longer the master. It may still be running and accept commands, but
 * what it confirms is lost.
 *
 * ioredis has a `failoverDetector`, which leaves for any master that the sentinels watch, misses what is said while it
 * connects, and writes an unreachable sentinel's error to the console.
 *
 * @returns a function that ends the watch
 */
export function watchMaster(redis: Redis, config: RedisConfig): () => void {
  const { server, tls } = config;
  if (!('sentinels' in server)) return () => undefined;
  let switchedWhileConnecting = false;
  redis.on('connecting', () => {
    switchedWhileConnecting = false;
  });
  redis.on('ready', () => {
    if (switchedWhileConnecting) redis.disconnect(true);
  });
  function leaveMaster(): void {
    // While ioredis asks a sentinel for the address, a disconnect would end the connection for good.
    if (redis.status === 'connecting' || redis.status === 'connect') switchedWhileConnecting = true;
    else if (redis.status === 'ready') redis.disconnect(true);
  }
  const subscriptions = server.sentinels.map((address) => {
    const sentinel: RedisConfig = { server: address, password: server.password, tls };
    const subscription: Redis = new Redis({
      ...serverOptions(sentinel),
      ...loginOptions(sentinel),
      enableReadyCheck: false,
      autoResubscribe: false,
      retryStrategy() {
        Object.assign(subscription.options, loginOptions(sentinel));
        return RESUBSCRIBE_DELAY_MS;
      },
    });
    subscription.on('error', () => undefined);
    subscription.on('message', (_channel, message: string) => {
      if (message.startsWith(`${server.masterName} `)) leaveMaster();
    });
    subscription.on('ready', () => void subscription.subscribe('+switch-master').catch(() => undefined));
    return subscription;
  });
  return function endWatch() {
    for (const subscription of subscriptions) subscription.disconnect();
  };
}
