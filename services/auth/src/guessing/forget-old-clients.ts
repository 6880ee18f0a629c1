import { deletionJob, type Job } from '@shop/core/service';
import type { AuthContext } from '../service';
import { deleteOldClients } from './known-clients.sql';

const MAX_AGE_MS = 365 * 86_400_000;

/** A year after a client was first seen, it has to log in again to be known. */
export const forgetOldClients = ({ db }: Pick<AuthContext, 'db'>): Job =>
  deletionJob('forget_old_clients', 3600, 100, async function deleteBatch(limit) {
    return await deleteOldClients(db, new Date(Date.now() - MAX_AGE_MS), limit);
  });
