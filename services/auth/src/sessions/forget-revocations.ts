import type { Job } from '@shop/core/service';
import type { AuthContext } from '../service';
import { deleteExpiredRevocations } from './revocations.sql';

const BATCH = 1000;

/** Deletes revocations of access tokens that have expired meanwhile. */
export const forgetRevocations = ({ db }: Pick<AuthContext, 'db'>): Job => ({
  name: 'forget_revocations',
  everySeconds: 60,
  async run(stopping) {
    const now = new Date();
    while (!stopping?.aborted && (await deleteExpiredRevocations(db, now, BATCH)) === BATCH);
  },
});
