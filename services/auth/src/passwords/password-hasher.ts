import bcrypt from 'bcrypt';
import { FairQueue } from './fair-queue';
import { hasPasswordLength } from './passwords.schemas';

const COST = 10;

/**
 * bcrypt uses libuv's pool of four threads, which also serves DNS lookups and file reads, so it gets half of them. The
 * queue is short enough to drain before a client times out.
 */
const LIMITS = { concurrency: 2, waiting: 50 };

/** The hash of an unknown password. Compared if there is no account or password, so that the response time is the same. */
const DUMMY_HASH = '$2b$10$qxYh3Vn.jhBOmQFVjGCk1uH5dBk9wh0c49dmHueHlCyFge23gfeXa';

export interface PasswordHasher {
  hash(password: string): Promise<string>;
  /** @param hash null or undefined never matches, but takes the same time */
  matches(password: string, hash: string | null | undefined): Promise<boolean>;
}

export function createPasswordHasher(): PasswordHasher {
  const queue = new FairQueue(LIMITS);
  return {
    async hash(password) {
      return await queue.run(async () => await bcrypt.hash(password, COST));
    },
    async matches(password, hash) {
      const isSame = await queue.run(async () => await bcrypt.compare(password, hash ?? DUMMY_HASH));
      return isSame && Boolean(hash) && hasPasswordLength(password);
    },
  };
}
