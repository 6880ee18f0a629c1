import { setting } from '@shop/core';
import { z } from 'zod';

/** A year. */
const MAX_TTL_MINUTES = 525_600;

export const settings = z.object({
  /** 0: orders may stay unpaid for ever. */
  PENDING_ORDER_TTL_MINUTES: setting.integer(0, MAX_TTL_MINUTES).default(0),
});

export type TransactionSettings = z.output<typeof settings>;
