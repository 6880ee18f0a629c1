import type { Job } from '@shop/core/service';
import type { AuthContext } from '../service';
import { deleteOldClients } from './known-clients.sql';

const MAX_AGE_MS = 365 * 86_400_000;
const BATCH = 100;

/** A year after a client was first seen, it has to log in again to be known. */
export const forgetOldClients = ({ db }: Pick<AuthContext, 'db'>): Job => ({
  name: 'forget_old_clients',
  everySeconds: 3600,
  async run(stopping) {
    const before = new Date(Date.now() - MAX_AGE_MS);
    while (!stopping?.aborted && (await deleteOldClients(db, before, BATCH)) === BATCH);
  },
});
