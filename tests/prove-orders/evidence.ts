/** The outcome of an operation as its client sees it. `unknown`: no response, or one that does not decide it. */
export type Outcome = 'ok' | 'fail' | 'unknown';

export interface OrderLine {
  productId: number;
  quantity: number;
}

interface Operation {
  /** The client, and when the operation began (ms since the start). */
  client: string;
  at: number;
  outcome: Outcome;
  /** The statuses of all responses. */
  statuses: number[];
}

export interface OrderOperation extends Operation {
  kind: 'order';
  buyerId: number;
  key: string | undefined;
  lines: OrderLine[];
  /** How many times it was sent. */
  attempts: number;
  /** The order ids in all responses. Different ids mean that the order was duplicated. */
  ids: number[];
}

interface StatusOperation extends Operation {
  kind: 'status';
  transactionId: number;
  to: string;
}

interface StockOperation extends Operation {
  kind: 'stock';
  productId: number;
}

interface ReadOperation extends Operation {
  kind: 'read';
  /** The smallest stock in the response. */
  smallestStock: number | undefined;
}

export type AnyOperation = OrderOperation | StatusOperation | StockOperation | ReadOperation;

/** An order in the tables at the end. */
export interface StoredOrder {
  id: number;
  buyerId: number;
  status: string;
  totalCents: bigint;
  lines: (OrderLine & { priceCents: bigint })[];
  history: { from: string; to: string }[];
}

interface StockAccount {
  productId: number;
  stock: bigint;
  initial: bigint;
  edits: bigint;
  sold: bigint;
  cancelled: bigint;
}

/** The input of the checks. */
export interface Evidence {
  operations: AnyOperation[];
  orders: StoredOrder[];
  /** The order of each key: `user key` to id. */
  keys: Map<string, number>;
  accounts: StockAccount[];
  /** Order lines whose restocked quantity does not match the order's status. */
  restockFaults: string[];
}
