import bcrypt from 'bcrypt';
import { boundedWork } from './bounded-work';
import { hasPasswordLength } from './password.schemas';

const COST = 10;

/**
 * bcrypt runs in libuv's pool of four threads, which also resolves names and reads files: it may fill half of it, and the
 * queue must not grow beyond what is hashed within the client's patience.
 */
const BOUNDS = { atOnce: 2, waiting: 50 };

/** A hash of nothing known, to compare with where there is no other: that takes the same time. */
const NOBODYS_HASH = '$2b$10$qxYh3Vn.jhBOmQFVjGCk1uH5dBk9wh0c49dmHueHlCyFge23gfeXa';

export interface PasswordHasher {
  /** @throws AppError `overloaded` */
  hash(password: string): Promise<string>;
  /** @param hash null or undefined: nobody's, never matches. @throws AppError `overloaded` */
  matches(password: string, hash: string | null | undefined): Promise<boolean>;
}

export function passwordHasher(): PasswordHasher {
  const inTurn = boundedWork(BOUNDS);
  return {
    hash: (password) => inTurn(() => bcrypt.hash(password, COST)),
    async matches(password, hash) {
      const same = await inTurn(() => bcrypt.compare(password, hash ?? NOBODYS_HASH));
      return same && Boolean(hash) && hasPasswordLength(password);
    },
  };
}
