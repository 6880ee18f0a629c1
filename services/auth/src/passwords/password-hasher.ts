import bcrypt from 'bcrypt';
import { createFairQueue } from './fair-queue';
import { hasPasswordLength } from './passwords.schemas';

const COST = 10;

/**
 * bcrypt runs in libuv's pool of four threads, which also resolves names and reads files: it may use half of them. No more
 * calls wait than are hashed before a client gives up.
 */
const LIMITS = { concurrency: 2, waiting: 50 };

/** The hash of no known password. Comparing with it takes as long as with an account's. */
const NOBODYS_HASH = '$2b$10$qxYh3Vn.jhBOmQFVjGCk1uH5dBk9wh0c49dmHueHlCyFge23gfeXa';

export interface PasswordHasher {
  hash(password: string): Promise<string>;
  /** @param hash null or undefined: nobody's, never matches */
  matches(password: string, hash: string | null | undefined): Promise<boolean>;
}

export function createPasswordHasher(): PasswordHasher {
  const queue = createFairQueue(LIMITS);
  return {
    async hash(password) {
      return await queue.run(async () => await bcrypt.hash(password, COST));
    },
    async matches(password, hash) {
      const isSame = await queue.run(async () => await bcrypt.compare(password, hash ?? NOBODYS_HASH));
      return isSame && Boolean(hash) && hasPasswordLength(password);
    },
  };
}
