import type { AnyOperation, Evidence, OrderLine, OrderOperation, StoredOrder } from './evidence';

export interface Check {
  name: string;
  /** @returns the problems; empty if the check passes */
  run(evidence: Evidence): string[];
}

const ordersOf = ({ operations }: Evidence): OrderOperation[] =>
  operations.filter((operation) => operation.kind === 'order');

const byId = ({ orders }: Evidence): Map<number, StoredOrder> => new Map(orders.map((order) => [order.id, order]));

const merged = (lines: OrderLine[]): string => {
  const quantities = new Map<number, number>();
  for (const { productId, quantity } of lines) quantities.set(productId, (quantities.get(productId) ?? 0) + quantity);
  return JSON.stringify([...quantities].sort(([a], [b]) => a - b));
};

const named = (order: OrderOperation): string => `${order.client} at ${order.at} ms (key ${order.key ?? 'none'})`;

/** The allowed status changes. */
const STEPS = new Set(['pending paid', 'paid shipped', 'shipped completed', 'pending cancelled', 'paid cancelled']);
/** The statuses that Nginx sends for a service that just died, and the services for a database that did. */
const AWAY = new Set([502, 503, 504]);
const EXPECTED = new Set([200, 201, 204, 403, 404, 409, 422]);

export const checks: Check[] = [
  {
    name: 'every acknowledged order exists, as it was ordered',
    run(evidence) {
      const stored = byId(evidence);
      return ordersOf(evidence).flatMap((operation) => {
        if (operation.outcome !== 'ok') return [];
        return operation.ids.flatMap((id) => {
          const order = stored.get(id);
          if (!order) return [`order ${id} of ${named(operation)} was acknowledged but is missing`];
          if (order.buyerId === operation.buyerId && merged(order.lines) === merged(operation.lines)) return [];
          return [`order ${id} of ${named(operation)} differs from what was ordered`];
        });
      });
    },
  },
  {
    name: 'every key has one order, and every order was acknowledged to one operation',
    run(evidence) {
      const owners = new Map<number, string>();
      return ordersOf(evidence).flatMap((operation) => {
        const problems: string[] = [];
        const ids = [...new Set(operation.ids)];
        if (ids.length > 1) problems.push(`${named(operation)} got the orders ${ids.join(', ')}`);
        for (const id of ids) {
          const owner = owners.get(id);
          if (owner) problems.push(`order ${id} was acknowledged to ${owner} and to ${named(operation)}`);
          owners.set(id, named(operation));
          if (operation.key === undefined) continue;
          const behind = evidence.keys.get(`${operation.buyerId} ${operation.key}`);
          if (behind !== id)
            problems.push(`the key of ${named(operation)} has order ${behind}, but the response had ${id}`);
        }
        return problems;
      });
    },
  },
  {
    name: 'every order with a key came to an end on retry',
    run: (evidence) =>
      ordersOf(evidence)
        .filter(({ key, outcome }) => key !== undefined && outcome === 'unknown')
        .map((operation) => `${named(operation)} is unknown after ${operation.attempts} attempts`),
  },
  {
    name: 'no order exists that nobody ordered',
    run(evidence) {
      const acknowledged = new Set(ordersOf(evidence).flatMap(({ ids }) => ids));
      const open = ordersOf(evidence).filter(({ key, outcome }) => key === undefined && outcome === 'unknown');
      return evidence.orders.flatMap((order) => {
        if (acknowledged.has(order.id)) return [];
        const index = open.findIndex(
          ({ buyerId, lines }) => buyerId === order.buyerId && merged(lines) === merged(order.lines),
        );
        if (index < 0) return [`order ${order.id} of user ${order.buyerId} belongs to no operation`];
        open.splice(index, 1);
        return [];
      });
    },
  },
  {
    name: 'initial stock + edits - sold + cancelled = stock, for each product',
    run: ({ accounts, restockFaults }) => [
      ...accounts
        .filter(({ stock, initial, edits, sold, cancelled }) => initial + edits - sold + cancelled !== stock)
        .map(
          ({ productId, stock, initial, edits, sold, cancelled }) =>
            `product ${productId}: ${initial} + ${edits} - ${sold} + ${cancelled} is not ${stock}`,
        ),
      ...restockFaults,
    ],
  },
  {
    name: 'no stock was ever negative',
    run: ({ operations, accounts }) => [
      ...operations.flatMap((operation) =>
        operation.kind === 'read' && (operation.smallestStock ?? 0) < 0
          ? [`${operation.client} read a stock of ${operation.smallestStock} at ${operation.at} ms`]
          : [],
      ),
      ...accounts.filter(({ stock }) => stock < 0n).map(({ productId, stock }) => `product ${productId} has ${stock}`),
    ],
  },
  {
    name: 'every total is the sum of its lines, to the cent',
    run: ({ orders }) =>
      orders.flatMap(({ id, totalCents, lines }) => {
        const sum = lines.reduce((cents, { priceCents, quantity }) => cents + priceCents * BigInt(quantity), 0n);
        return sum === totalCents && lines.length > 0 ? [] : [`order ${id}: total ${totalCents}, lines ${sum} cents`];
      }),
  },
  {
    name: 'every history leads all the way from pending to the current status',
    run: ({ orders }) =>
      orders.flatMap(({ id, status, history }) => {
        let at = 'pending';
        for (const { from, to } of history) {
          if (from !== at || !STEPS.has(`${from} ${to}`)) return [`order ${id} went from ${at}: ${from} to ${to}`];
          at = to;
        }
        return at === status ? [] : [`order ${id} is ${status}, its history ends with ${at}`];
      }),
  },
  {
    name: 'every acknowledged change of a status happened exactly once',
    run(evidence) {
      const stored = byId(evidence);
      const changes = evidence.operations.filter((operation) => operation.kind === 'status');
      const done = new Set<string>();
      return changes.flatMap(({ outcome, transactionId, to, client }) => {
        if (outcome !== 'ok') return [];
        const step = `${transactionId} ${to}`;
        if (done.has(step)) return [`order ${transactionId} became ${to} twice`];
        done.add(step);
        const happened = stored.get(transactionId)?.history.some((entry) => entry.to === to);
        return happened
          ? []
          : [`${client} got the response that order ${transactionId} became ${to}, which is not in its history`];
      });
    },
  },
  {
    name: 'only statuses of the contract; 502 to 504 only during an outage',
    run: ({ operations }) => operations.flatMap((operation) => unexpected(operation)),
  },
];

const unexpected = ({ client, at, kind, statuses }: AnyOperation): string[] =>
  statuses
    .filter((status) => !EXPECTED.has(status) && !AWAY.has(status))
    .map((status) => `${client} at ${at} ms: ${kind} got status ${status}`);
