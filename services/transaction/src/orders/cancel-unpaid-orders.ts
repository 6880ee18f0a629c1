import type { Logger } from '@shop/core';
import type { cancelUnpaid } from './change-status';
import { isInvalidTransition } from './order-status';
import type { StatusRepository } from './status.repository';

interface Parts {
  statuses: Pick<StatusRepository, 'listUnpaid'>;
  cancel: ReturnType<typeof cancelUnpaid>;
  ttlMinutes: number;
  logger: Logger;
}

const ORDERS_AT_ONCE = 100;

/**
 * Cancels orders that stayed `pending` longer than the TTL; their stock is for sale again. Replicas may do this at the same
 * time: whoever comes second finds the order cancelled.
 * @returns how many this one cancelled
 */
export const cancelUnpaidOrders =
  ({ statuses, cancel, ttlMinutes, logger }: Parts) =>
  async (): Promise<number> => {
    let cancelled = 0;
    for (const id of await statuses.listUnpaid(ttlMinutes, ORDERS_AT_ONCE)) {
      try {
        await cancel(id);
        cancelled += 1;
        logger.info({ transaction_id: id }, 'cancelled: not paid in time');
      } catch (error) {
        if (!isInvalidTransition(error)) throw error;
      }
    }
    return cancelled;
  };
