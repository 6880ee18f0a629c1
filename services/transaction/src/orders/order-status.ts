import type { Caller } from '@shop/core/auth';
import { AppError, defineError, forbidden } from '@shop/core/errors';
import type { OrderStatus } from './orders.schemas';

export const invalidTransition = defineError(
  'conflict',
  'invalid_transition',
  'The transaction is in a state that does not allow this.',
);

/** What somebody is to an order. `shop` is a rule of the shop itself. */
export type Party = 'buyer' | 'seller' | 'admin' | 'shop';

interface Step {
  from: OrderStatus;
  to: OrderStatus;
  by: readonly Party[];
}

/** The status machine: every step there is, and who may take it. */
export const steps = {
  pay: { from: 'pending', to: 'paid', by: ['admin'] },
  ship: { from: 'paid', to: 'shipped', by: ['seller', 'admin'] },
  complete: { from: 'shipped', to: 'completed', by: ['admin'] },
  cancelUnpaid: { from: 'pending', to: 'cancelled', by: ['buyer', 'seller', 'admin', 'shop'] },
  cancelPaid: { from: 'paid', to: 'cancelled', by: ['seller', 'admin'] },
} as const satisfies Record<string, Step>;

const allSteps: readonly Step[] = Object.values(steps);

/** More than one for a seller who buys from his own store. */
export const partiesOf = (caller: Caller, order: { buyerId: number; sellerId: number }): Party[] => [
  ...(caller.role === 'admin' ? (['admin'] as const) : []),
  ...(caller.id === order.buyerId ? (['buyer'] as const) : []),
  ...(caller.id === order.sellerId ? (['seller'] as const) : []),
];

/**
 * `forbidden` where the step is never theirs, `invalid_transition` where it is, but not from this status. It decides on the
 * status as it is now: the order's row must be locked.
 */
export function assertStep(parties: readonly Party[], from: OrderStatus, to: OrderStatus): void {
  const theirs = allSteps.filter((step) => step.to === to && step.by.some((party) => parties.includes(party)));
  if (theirs.length === 0) throw forbidden();
  if (theirs.every((step) => step.from !== from)) {
    const allowedFrom = theirs.map((step) => step.from).join(' or ');
    throw invalidTransition({
      message: `You can set a transaction to ${to} only while it is ${allowedFrom}. This one is ${from}.`,
    });
  }
}

/** Somebody else, or an earlier attempt of the same caller, was faster. */
export const isInvalidTransition = (error: unknown): boolean =>
  error instanceof AppError && error.code === invalidTransition.code;
