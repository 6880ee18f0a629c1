import { type Check, checks, type Evidence, planFaults, proveOrders, report } from '@shop/prove-orders';

test('twenty seconds of orders under kill -9: nothing lost, duplicated or oversold', async () => {
  const lines: string[] = [];
  const evidence = await proveOrders({ seed: 20_261_123, seconds: 20, print: (line) => lines.push(line) });
  const sound = report(evidence, (line) => lines.push(line));
  // Shows the whole report on failure.
  expect(sound ? '' : lines.join('\n')).toBe('');
  const keyed = evidence.operations.filter((operation) => operation.kind === 'order' && operation.key !== undefined);
  // The number depends on the machine: over a thousand on an idle one.
  expect(new Set(keyed.map(({ client }) => client)).size).toBeGreaterThan(1);
  expect(evidence.orders.length).toBeGreaterThan(0);
  expect(lines.filter((line) => line.includes('kill -9')).length).toBeGreaterThan(0);
});

test('the same seed plans the same faults, another seed different ones', () => {
  expect(planFaults(5, 60_000)).toEqual(planFaults(5, 60_000));
  expect(planFaults(6, 60_000)).not.toEqual(planFaults(5, 60_000));
  expect(planFaults(5, 60_000).length).toBeGreaterThan(8);
});

/** A small consistent history that each test corrupts. */
const sound = (): Evidence => ({
  operations: [
    {
      kind: 'order',
      client: 'buyer-1',
      at: 5,
      outcome: 'ok',
      statuses: [502, 201],
      buyerId: 7,
      key: 'k',
      lines: [
        { productId: 2, quantity: 1 },
        { productId: 1, quantity: 2 },
      ],
      attempts: 2,
      ids: [1],
    },
    {
      kind: 'order',
      client: 'buyer-2',
      at: 6,
      outcome: 'unknown',
      statuses: [],
      buyerId: 8,
      key: undefined,
      lines: [{ productId: 1, quantity: 1 }],
      attempts: 1,
      ids: [],
    },
    { kind: 'status', client: 'admin', at: 9, outcome: 'ok', statuses: [204], transactionId: 1, to: 'paid' },
    { kind: 'status', client: 'seller', at: 10, outcome: 'ok', statuses: [204], transactionId: 2, to: 'cancelled' },
    { kind: 'read', client: 'buyer-1', at: 11, outcome: 'ok', statuses: [200], smallestStock: 0 },
  ],
  orders: [
    {
      id: 1,
      buyerId: 7,
      status: 'paid',
      totalCents: 250n,
      lines: [
        { productId: 1, quantity: 2, priceCents: 100n },
        { productId: 2, quantity: 1, priceCents: 50n },
      ],
      history: [{ from: 'pending', to: 'paid' }],
    },
    {
      id: 2,
      buyerId: 8,
      status: 'cancelled',
      totalCents: 100n,
      lines: [{ productId: 1, quantity: 1, priceCents: 100n }],
      history: [{ from: 'pending', to: 'cancelled' }],
    },
  ],
  keys: new Map([['7 k', 1]]),
  accounts: [{ productId: 1, stock: 8n, initial: 10n, edits: 0n, sold: 3n, cancelled: 1n }],
  restockFaults: [],
});

const failing = (evidence: Evidence): string[] =>
  checks.filter((check: Check) => check.run(evidence).length > 0).map(({ name }) => name);
const order = (evidence: Evidence) => {
  const [first] = evidence.operations;
  if (first?.kind !== 'order') throw new Error('the first operation is an order');
  return first;
};
const stored = (evidence: Evidence) => evidence.orders[0] as Evidence['orders'][number];

describe('the checks', () => {
  test('accept a consistent history with lost responses', () => expect(failing(sound())).toEqual([]));

  test.each<[string, RegExp, (evidence: Evidence) => void]>([
    ['an acknowledged order that is missing', /acknowledged order/, (it) => it.orders.shift()],
    ['an order with other lines', /as it was ordered/, (it) => stored(it).lines.pop()],
    ['an order of another buyer', /as it was ordered/, (it) => Object.assign(stored(it), { buyerId: 9 })],
    ['two orders for one key', /every key has one/, (it) => order(it).ids.push(2)],
    ['a key of another order', /every key has one/, (it) => it.keys.set('7 k', 2)],
    ['one order for two keys', /every key has one/, (it) => it.operations.push({ ...order(it), key: 'l' })],
    ['a key without a known outcome', /came to an end/, (it) => Object.assign(order(it), { outcome: 'unknown' })],
    ['an order that nobody placed', /nobody ordered/, (it) => it.orders.push({ ...stored(it), id: 3 })],
    [
      'a refused order that was made all the same',
      /nobody ordered/,
      (it) => Object.assign(order(it), { outcome: 'fail', ids: [] }),
    ],
    ['a stock that does not add up', /= stock/, (it) => Object.assign(it.accounts[0] ?? {}, { stock: 9n })],
    ['a stock put back twice', /= stock/, (it) => it.restockFaults.push('order 2: 2 of 1')],
    [
      'a negative stock that somebody read',
      /negative/,
      (it) => Object.assign(it.operations.at(-1) ?? {}, { smallestStock: -1 }),
    ],
    ['a total that is a cent off', /to the cent/, (it) => Object.assign(stored(it), { totalCents: 251n })],
    ['an invalid step', /way from pending/, (it) => stored(it).history.push({ from: 'paid', to: 'completed' })],
    ['a status without a history', /way from pending/, (it) => stored(it).history.pop()],
    ['a change that did not happen', /change of a status/, (it) => it.orders.pop()],
    [
      'a change that was acknowledged twice',
      /change of a status/,
      (it) => it.operations.push(...it.operations.filter(({ kind }) => kind === 'status')),
    ],
    ['a 500', /of the contract/, (it) => order(it).statuses.push(500)],
  ])('find %s', (_, name, spoil) => {
    const evidence = sound();
    spoil(evidence);
    expect(failing(evidence)).toEqual(expect.arrayContaining([expect.stringMatching(name)]));
  });
});
