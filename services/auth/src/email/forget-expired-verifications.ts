import type { Job } from '@shop/core/service';
import type { AuthContext } from '../service';
import { deleteExpiredVerifications } from './email-verifications.sql';

const BATCH = 100;

export const forgetExpiredVerifications = ({ db }: Pick<AuthContext, 'db'>): Job => ({
  name: 'forget_expired_verifications',
  everySeconds: 3600,
  async run(stopping) {
    while (!stopping?.aborted && (await deleteExpiredVerifications(db, new Date(), BATCH)) === BATCH);
  },
});
