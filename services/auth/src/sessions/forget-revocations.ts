import { deletionJob, type Job } from '@shop/core/service';
import type { AuthContext } from '../service';
import { deleteExpiredRevocations } from './revocations.sql';

/** Deletes revocations of access tokens that have expired meanwhile. */
export const forgetRevocations = ({ db }: Pick<AuthContext, 'db'>): Job =>
  deletionJob('forget_revocations', 60, 1000, async function deleteBatch(limit) {
    return await deleteExpiredRevocations(db, new Date(), limit);
  });
