import { setTimeout as sleep } from 'node:timers/promises';
import { ask, type Random, type Reply, random } from '@shop/test-servers';
import type { AnyOperation, OrderLine, OrderOperation, Outcome } from './evidence';

export interface Person {
  name: string;
  id: number;
  token: string;
}

export interface Shop {
  url: string;
  admin: Person;
  buyers: (Person & { addressId: number })[];
  sellers: (Person & { productIds: number[] })[];
}

interface Run {
  shop: Shop;
  seed: number;
  started: number;
  /** No new operations start after this. */
  signal: AbortSignal;
  log: AnyOperation[];
}

/** When a client stops retrying. */
const RETRY_FOR_MS = 30_000;
const ORDERS = '/api/v1/transactions';

/** Whether the response is final: not missing, not 429, and not a temporary outage. */
const isFinal = ({ status }: Reply): boolean => status !== undefined && status < 500 && status !== 429;

const outcomeOf = (reply: Reply): Outcome => {
  if (!isFinal(reply)) return 'unknown';
  return (reply.status ?? 0) < 300 ? 'ok' : 'fail';
};
const statusesOf = (...replies: Reply[]): number[] => replies.flatMap(({ status }) => status ?? []);

/** All clients repeat operations until `signal`. The operation of client c in turn n depends only on the seed. */
export async function runClients(run: Run): Promise<void> {
  const { shop } = run;
  const orders: number[] = [];
  await Promise.all([
    ...shop.buyers.map((buyer, index) => turns(run, index, (draw) => buyerTurn(run, { buyer, orders, draw }))),
    ...shop.sellers.map((seller, index) =>
      turns(run, 1000 + index, (draw) => sellerTurn(run, { seller, orders, draw })),
    ),
    turns(run, 2000, (draw) => adminTurn(run, { orders, draw })),
  ]);
}

async function turns({ seed, signal }: Run, client: number, turn: (draw: Random) => Promise<void>): Promise<void> {
  for (let n = 0; !signal.aborted; n += 1) {
    const draw = random(seed, client, n);
    await sleep(draw.integer(5, 60), undefined, { signal }).catch(() => undefined);
    if (!signal.aborted) await turn(draw);
  }
}

interface BuyerTurn {
  buyer: Shop['buyers'][number];
  /** Ids of all acknowledged orders. */
  orders: number[];
  draw: Random;
}

async function buyerTurn(run: Run, turn: BuyerTurn): Promise<void> {
  const kind = turn.draw.integer(1, 100);
  if (kind <= 60) await keyedOrder(run, turn);
  else if (kind <= 75) await plainOrder(run, turn);
  else if (kind <= 85) await changeStatus(run, turn.buyer, turn.orders, 'cancelled', turn.draw);
  else await read(run, turn);
}

/** Little stock and opposite orders of items, to provoke overselling and deadlocks. */
function basket({ shop }: Run, draw: Random): OrderLine[] {
  const { productIds } = draw.pick(shop.sellers);
  return draw
    .shuffled(productIds)
    .slice(0, draw.integer(1, productIds.length))
    .map((productId) => ({ productId, quantity: draw.integer(1, 2) }));
}

const orderBody = ({ addressId }: { addressId: number }, lines: OrderLine[]) => ({
  address_id: addressId,
  items: lines.map(({ productId, quantity }) => ({ product_id: productId, quantity })),
});

function logOrder(
  run: Run,
  { buyer, orders }: BuyerTurn,
  operation: Omit<OrderOperation, 'client' | 'kind' | 'buyerId'>,
) {
  run.log.push({ client: buyer.name, kind: 'order', buyerId: buyer.id, ...operation });
  const [id] = operation.ids;
  if (id !== undefined) orders.push(id);
}

const idsOf = (...replies: Reply[]): number[] =>
  replies.flatMap(({ status, body }) => (status === 201 && typeof body.id === 'number' ? [body.id] : []));

/** Sends an order, sometimes twice concurrently or with an early disconnect, and retries with its key until it is decided. */
async function keyedOrder(run: Run, turn: BuyerTurn): Promise<void> {
  const { buyer, draw } = turn;
  const lines = basket(run, draw);
  const key = `${buyer.name}-${draw.integer(0, 2 ** 30)}`;
  const twins = draw.chance(0.2) ? 3 : 1;
  const hangUpMs = draw.chance(0.3) ? draw.integer(1, 25) : undefined;
  const at = Date.now() - run.started;
  const send = (hangUp?: number) =>
    ask(run.shop.url + ORDERS, 'POST', { token: buyer.token, key, json: orderBody(buyer, lines), hangUpMs: hangUp });
  const replies = await Promise.all(Array.from({ length: twins }, () => send(hangUpMs)));
  while (!replies.some(isFinal) && Date.now() - run.started - at < RETRY_FOR_MS) {
    await sleep(100);
    replies.push(await send());
  }
  const bought = replies.some(({ status }) => status === 201);
  // A rejection is not final while an attempt with a lost response may still be running. It is retried at the end.
  const settled = replies.every(isFinal);
  logOrder(run, turn, {
    at,
    key,
    lines,
    attempts: replies.length,
    ids: idsOf(...replies),
    outcome: bought ? 'ok' : settled ? 'fail' : 'unknown',
    statuses: statusesOf(...replies),
  });
}

/** Without a key there is only one attempt. Without a response its outcome stays unknown. */
async function plainOrder(run: Run, turn: BuyerTurn): Promise<void> {
  const { buyer, draw } = turn;
  const lines = basket(run, draw);
  const at = Date.now() - run.started;
  const reply = await ask(run.shop.url + ORDERS, 'POST', { token: buyer.token, json: orderBody(buyer, lines) });
  const outcome = outcomeOf(reply);
  logOrder(run, turn, {
    at,
    key: undefined,
    lines,
    attempts: 1,
    ids: idsOf(reply),
    outcome,
    statuses: statusesOf(reply),
  });
}

async function read(run: Run, { buyer, draw }: BuyerTurn): Promise<void> {
  const at = Date.now() - run.started;
  const mine = draw.chance(0.3);
  const reply = await ask(`${run.shop.url}${mine ? ORDERS : '/api/v1/catalog/products?limit=100'}`, 'GET', buyer);
  const rows = Array.isArray(reply.body.data) ? (reply.body.data as { stock?: number }[]) : [];
  const stocks = rows.flatMap(({ stock }) => stock ?? []);
  run.log.push({
    client: buyer.name,
    kind: 'read',
    at,
    outcome: outcomeOf(reply),
    statuses: statusesOf(reply),
    smallestStock: stocks.length > 0 ? Math.min(...stocks) : undefined,
  });
}

async function changeStatus(run: Run, who: Person, orders: number[], to: string, draw: Random): Promise<void> {
  // The latest orders, because other clients change them too.
  const transactionId = orders.at(-draw.integer(1, 10));
  if (transactionId === undefined) return;
  const at = Date.now() - run.started;
  const url = `${run.shop.url}${ORDERS}/${transactionId}`;
  const reply = await ask(url, 'PATCH', { token: who.token, json: { status: to } });
  const outcome = outcomeOf(reply);
  run.log.push({ client: who.name, kind: 'status', at, transactionId, to, outcome, statuses: statusesOf(reply) });
}

async function adminTurn(run: Run, { orders, draw }: { orders: number[]; draw: Random }): Promise<void> {
  await changeStatus(run, run.shop.admin, orders, draw.pick(['paid', 'paid', 'completed']), draw);
}

/** Ships, cancels, and sets the stock, so that there is always a little to sell. */
async function sellerTurn(
  run: Run,
  { seller, orders, draw }: { seller: Shop['sellers'][number]; orders: number[]; draw: Random },
): Promise<void> {
  if (draw.chance(0.5)) return changeStatus(run, seller, orders, draw.pick(['shipped', 'cancelled']), draw);
  const productId = draw.pick(seller.productIds);
  const at = Date.now() - run.started;
  const url = `${run.shop.url}/api/v1/products/${productId}`;
  const reply = await ask(url, 'PUT', { token: seller.token, json: { stock: draw.integer(0, 30) } });
  const outcome = outcomeOf(reply);
  run.log.push({ client: seller.name, kind: 'stock', at, productId, outcome, statuses: statusesOf(reply) });
}

/** Retries the unknown operations at the end, with everything running again, until they are decided. */
export async function resolveUnknown({ shop, log }: Pick<Run, 'shop' | 'log'>): Promise<void> {
  for (const operation of log) {
    if (operation.kind !== 'order' || operation.key === undefined || operation.outcome !== 'unknown') continue;
    const buyer = shop.buyers.find(({ id }) => id === operation.buyerId);
    if (!buyer) throw new Error(`unknown buyer ${operation.buyerId}`);
    const json = orderBody(buyer, operation.lines);
    const started = Date.now();
    while (operation.outcome === 'unknown' && Date.now() - started < RETRY_FOR_MS) {
      const reply = await ask(shop.url + ORDERS, 'POST', { token: buyer.token, key: operation.key, json });
      operation.attempts += 1;
      operation.statuses.push(...statusesOf(reply));
      operation.ids.push(...idsOf(reply));
      operation.outcome = outcomeOf(reply);
    }
  }
}
