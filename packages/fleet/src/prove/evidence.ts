/** What came of an operation, as far as its client can know. `unknown`: no answer, or one that leaves it open. */
export type Outcome = 'ok' | 'fail' | 'unknown';

export interface OrderLine {
  productId: number;
  quantity: number;
}

interface Operation {
  /** The client that did it, and when it began (ms since the start). */
  client: string;
  at: number;
  outcome: Outcome;
  /** Every status that came. */
  statuses: number[];
}

export interface OrderOperation extends Operation {
  kind: 'order';
  buyerId: number;
  key: string | undefined;
  lines: OrderLine[];
  /** How often it was sent. */
  attempts: number;
  /** Every id that was answered; more than one different means that an order was doubled. */
  ids: number[];
}

export interface StatusOperation extends Operation {
  kind: 'status';
  transactionId: number;
  to: string;
}

export interface StockOperation extends Operation {
  kind: 'stock';
  productId: number;
}

export interface ReadOperation extends Operation {
  kind: 'read';
  /** The smallest stock in the answer. */
  smallestStock: number | undefined;
}

export type AnyOperation = OrderOperation | StatusOperation | StockOperation | ReadOperation;

/** An order as it stands in the tables at the end. */
export interface StoredOrder {
  id: number;
  buyerId: number;
  status: string;
  totalCents: bigint;
  lines: (OrderLine & { priceCents: bigint })[];
  history: { from: string; to: string }[];
}

export interface StockAccount {
  productId: number;
  stock: bigint;
  initial: bigint;
  edits: bigint;
  sold: bigint;
  cancelled: bigint;
}

/** Everything the checks look at. */
export interface Evidence {
  operations: AnyOperation[];
  orders: StoredOrder[];
  /** Which order stands behind which key: `user key` to id. */
  keys: Map<string, number>;
  accounts: StockAccount[];
  /** Lines of orders that went back to stock not exactly as their status says. */
  restockFaults: string[];
}
