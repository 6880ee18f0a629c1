import type { Database, Sql } from '../db';
import type { Attempt } from './attempt';
import { KeyMutex } from './key-mutex';
import { claimKey, findResponse, settleKey } from './keys.sql';

const KEY_WAIT_MS = 2000;

interface OnceOptions<T> {
  /** How to run the database transaction. Default: `db.transaction`. */
  transaction?: <R>(work: (sql: Sql) => Promise<R>) => Promise<R>;
  /** Only for orders, whose keys the release before looks up, too. */
  orderIdOf?: (result: T) => number;
  /** `work` sends one statement, which needs no database transaction without a key. Its response may be lost: see `db.write`. */
  isOneStatement?: boolean;
}

/** Makes writes with an `Idempotency-Key` take effect once. See docs/decisions/0010-idempotency-keys.md. */
export interface Idempotency {
  /**
   * Runs `work` in a database transaction that also stores its result with the attempt's key. If an earlier attempt has
   * succeeded, returns that one's result instead, as far as it is in the response: declare other fields of `T` as optional.
   * Whatever `work` throws rolls the key back, so that it can be used again.
   *
   * After either, invalidate the cache: the earlier attempt may have died between its commit and its invalidation.
   * @param attempt undefined if the request has no key
   * @param work must have no effect outside the database transaction, and check everything that depends on the state
   * @throws AppError `idempotency_key_reused`
   */
  once<T extends object>(
    attempt: Attempt | undefined,
    work: (sql: Sql) => Promise<T>,
    options?: OnceOptions<T>,
  ): Promise<T>;
  /**
   * Returns the result of an earlier attempt that succeeded. For a write that does slow work before `once`, such as storing a
   * file.
   * @throws AppError `idempotency_key_reused`
   */
  find<T extends object>(attempt: Attempt | undefined): Promise<T | undefined>;
}

export function createIdempotency(db: Database): Idempotency {
  const mutex = new KeyMutex(KEY_WAIT_MS);

  return {
    async once(attempt, work, { transaction = db.transaction, orderIdOf, isOneStatement = false } = {}) {
      if (!attempt) return await (isOneStatement ? work(db) : transaction(work));
      const { userId, route, key, toJson } = attempt;
      return await mutex.runExclusive(`${userId} ${route} ${key}`, async function runWithKey() {
        const { earlier, result } = await transaction(async function workOnce(sql) {
          const response = await claimKey(sql, attempt);
          if (response !== undefined) return { earlier: response };
          const done = await work(sql);
          await settleKey(sql, attempt, toJson(done), orderIdOf?.(done) ?? null);
          return { result: done };
        });
        return result ?? replayed(attempt, earlier ?? '');
      });
    },

    async find(attempt) {
      if (!attempt) return undefined;
      const response = await findResponse(db, attempt);
      return response === undefined ? undefined : replayed(attempt, response);
    },
  };
}

/** The type is safe: `response` was made by `toJson` from a result of the same endpoint. */
function replayed<T>(attempt: Attempt, response: string): T {
  attempt.replay = response;
  return JSON.parse(response) as T;
}
