import type { Logger } from '@shop/core/log';
import bcrypt from 'bcrypt';
import { FairQueue } from './fair-queue';
import { bcryptInput, fitsBcrypt, type Peppers, passwordForms, toBcryptHash, toStored } from './password-forms';

const COST = 10;

/**
 * bcrypt uses libuv's pool of four threads, which also serves DNS lookups and file reads, so it gets half of them. The
 * queue is short enough to drain before a client times out.
 */
const LIMITS = { concurrency: 2, waiting: 50 };

/** The hash of an unknown password. Compared if there is no account or password, so that the response time is the same. */
const DUMMY_HASH = '$2b$10$qxYh3Vn.jhBOmQFVjGCk1uH5dBk9wh0c49dmHueHlCyFge23gfeXa';

/** `outdated`: it matches, but a new hash of it would have another form. */
type Match = 'none' | 'current' | 'outdated';

/** `client` is the group in the queue: a client with many requests does not delay the others. */
export interface PasswordHasher {
  hash(password: string, client: string): Promise<string>;
  /** @param hash null or undefined never matches, but takes the same time */
  match(password: string, hash: string | null | undefined, client: string): Promise<Match>;
}

export function createPasswordHasher(peppers: Peppers, logger: Pick<Logger, 'warn'>): PasswordHasher {
  const queue = new FairQueue(LIMITS);
  const forms = passwordForms(peppers);

  const hasher: PasswordHasher = {
    async hash(password, client) {
      const normal = password.normalize('NFC');
      const form = forms.formFor(normal);
      const input = bcryptInput(form, normal);
      return toStored(form, await queue.run(async () => await bcrypt.hash(input, COST), client));
    },

    async match(password, hash, client) {
      const normal = password.normalize('NFC');
      const isNormal = await isMatch(normal, hash, client);
      // Earlier releases hashed passwords as the client sent them. Compared even after a match, for the same response time.
      const isAsGiven = normal !== password && (await isMatch(password, hash, client));
      if (!isNormal) return isAsGiven ? 'outdated' : 'none';
      return hash && forms.formOf(hash) === forms.formFor(normal) ? 'current' : 'outdated';
    },
  };

  async function isMatch(password: string, hash: string | null | undefined, client: string): Promise<boolean> {
    const form = hash ? forms.formOf(hash) : undefined;
    if (hash && !form)
      logger.warn('a password hash needs a pepper that is in neither PASSWORD_PEPPER nor PASSWORD_PEPPER_PREVIOUS');
    const input = bcryptInput(form ?? 'plain', password);
    const bcryptHash = hash && form ? toBcryptHash(form, hash) : DUMMY_HASH;
    const isSame = await queue.run(async () => await bcrypt.compare(input, bcryptHash), client);
    return isSame && form !== undefined && (form !== 'plain' || fitsBcrypt(password));
  }

  return hasher;
}
