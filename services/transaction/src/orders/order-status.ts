import type { Caller } from '@shop/core/auth';
import { AppError, defineError, forbidden } from '@shop/core/errors';
import type { OrderStatus } from './orders.schemas';

export const invalidTransition = defineError(
  'conflict',
  'invalid_transition',
  'The status of the transaction does not allow this.',
  {
    when: 'The order has a status from which the new one cannot be reached. Another request may have changed it.',
    action:
      'Read the order again: `GET /api/v1/transactions/{id}`. `detail` says from which status the step is possible.',
  },
);

/** A role in an order. `shop` is the job that cancels unpaid orders. */
export type Party = 'buyer' | 'seller' | 'admin' | 'shop';

interface Step {
  from: OrderStatus;
  to: OrderStatus;
  by: readonly Party[];
}

/** The state machine: every step and who may take it. */
const steps: readonly Step[] = [
  { from: 'pending', to: 'paid', by: ['admin'] },
  { from: 'paid', to: 'shipped', by: ['seller', 'admin'] },
  { from: 'shipped', to: 'completed', by: ['admin'] },
  { from: 'pending', to: 'cancelled', by: ['buyer', 'seller', 'admin', 'shop'] },
  { from: 'paid', to: 'cancelled', by: ['seller', 'admin'] },
];

/** A seller who buys from their own store has two roles. */
export const partiesOf = (caller: Caller, order: { buyerId: number; sellerId: number }): Party[] => [
  ...(caller.role === 'admin' ? (['admin'] as const) : []),
  ...(caller.id === order.buyerId ? (['buyer'] as const) : []),
  ...(caller.id === order.sellerId ? (['seller'] as const) : []),
];

/** Returns the steps that the parties may take, from any status. @throws AppError `forbidden` if there are none */
export function stepsTo(to: OrderStatus, parties: readonly Party[]): Step[] {
  const allowedSteps = steps.filter((step) => step.to === to && step.by.some((party) => parties.includes(party)));
  if (allowedSteps.length === 0) throw forbidden();
  return allowedSteps;
}

/** The order's row must be locked. @throws AppError `invalid_transition` */
export function assertStepFrom(from: OrderStatus, to: OrderStatus, allowedSteps: readonly Step[]): void {
  if (allowedSteps.every((step) => step.from !== from)) {
    const allowedFrom = allowedSteps.map((step) => step.from).join(' or ');
    throw invalidTransition({
      message: `You can set a transaction to ${to} only while it is ${allowedFrom}. This one is ${from}.`,
    });
  }
}

/** The status was already changed, by someone else or by an earlier attempt of the same caller. */
export const isInvalidTransition = (error: unknown): boolean =>
  error instanceof AppError && error.code === invalidTransition.code;
