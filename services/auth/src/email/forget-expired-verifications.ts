import { deletionJob, type Job } from '@shop/core/service';
import type { AuthContext } from '../service';
import { deleteExpiredVerifications } from './email-verifications.sql';

export const forgetExpiredVerifications = ({ db }: Pick<AuthContext, 'db'>): Job =>
  deletionJob('forget_expired_verifications', 3600, 100, async function deleteBatch(limit) {
    return await deleteExpiredVerifications(db, new Date(), limit);
  });
