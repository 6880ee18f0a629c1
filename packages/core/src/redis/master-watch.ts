import { Redis } from 'ioredis';
import { loginOptions, type RedisConfig, serverOptions } from './redis-config';

const PING_INTERVAL_MS = 1000;
const RESUBSCRIBE_DELAY_MS = 1000;
/** A sentinel that has not responded for this long is out of contact. */
const CONTACT_MS = 3000;

export interface MasterWatch {
  /** Whether most of the sentinels respond. The others cannot choose another master without this process hearing of it. */
  isInContact(): boolean;
  end(): void;
}

/**
 * Leaves a server as soon as a sentinel says that it is no longer the master, or once most of the sentinels are out of contact.
 * Such a server may still be running and accept commands, but the other processes do not see what it confirms.
 *
 * ioredis has a `failoverDetector`, which leaves for any master that the sentinels watch, misses what is said while it
 * connects, and does not notice that it hears nothing any more.
 */
export function watchMaster(redis: Redis, config: RedisConfig): MasterWatch {
  const { server, tls } = config;
  if (!('sentinels' in server)) return { isInContact: () => true, end: () => undefined };
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
  const sentinels = server.sentinels.map((address) =>
    watchSentinel({ server: address, password: server.password, tls }, server.masterName, leaveMaster),
  );
  const isInContact = () => sentinels.filter((sentinel) => sentinel.isInContact()).length > sentinels.length / 2;
  const timer = setInterval(() => {
    for (const sentinel of sentinels) sentinel.ping();
    // Without contact, the next connection is not used.
    if (!isInContact() && redis.status === 'ready') redis.disconnect(true);
  }, PING_INTERVAL_MS).unref();
  return {
    isInContact,
    end() {
      clearInterval(timer);
      for (const sentinel of sentinels) sentinel.end();
    },
  };
}

interface SentinelWatch extends MasterWatch {
  ping(): void;
}

function watchSentinel(config: RedisConfig, masterName: string, onSwitch: () => void): SentinelWatch {
  let heardAt = performance.now();
  const heard = () => {
    heardAt = performance.now();
  };
  const isInContact = () => performance.now() - heardAt < CONTACT_MS;
  const subscription: Redis = new Redis({
    ...serverOptions(config),
    ...loginOptions(config),
    enableReadyCheck: false,
    enableOfflineQueue: false,
    autoResubscribe: false,
    connectTimeout: CONTACT_MS,
    commandTimeout: CONTACT_MS,
    retryStrategy() {
      Object.assign(subscription.options, loginOptions(config));
      return RESUBSCRIBE_DELAY_MS;
    },
  });
  subscription.on('error', () => undefined);
  subscription.on('ready', () => void subscription.subscribe('+switch-master').then(heard, () => undefined));
  subscription.on('message', (_channel, message: string) => {
    if (message.startsWith(`${masterName} `)) onSwitch();
  });
  return {
    isInContact,
    ping() {
      if (subscription.status !== 'ready') return;
      subscription.ping().then(heard, () => undefined);
      if (!isInContact()) subscription.disconnect(true);
    },
    end: () => subscription.disconnect(),
  };
}
