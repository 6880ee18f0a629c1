export { type Check, checks } from './checks';
export type { Evidence } from './evidence';
export { planFaults } from './faults';
export { proveOrders } from './prove-orders';
export { report } from './report';
