import { setting } from '@shop/core';
import { z } from 'zod';

export const settings = z.object({
  /** 0: orders may stay unpaid for ever. */
  PENDING_ORDER_TTL_MINUTES: setting.integer(0).default(0),
});

export type TransactionSettings = z.output<typeof settings>;
