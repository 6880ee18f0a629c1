/** A purchase as requests to the operations of the document, from which the Postman collection and the .http file are made. */

interface PurchaseStep {
  title: string;
  /** Names the request in the .http file. */
  name: string;
  operationId: string;
  /** Whose token is sent. */
  as?: 'seller' | 'buyer' | 'admin';
  /** Values of path parameters. */
  path?: Record<string, string>;
  query?: Record<string, string>;
  headers?: Record<string, string>;
  /** Replaces fields of the example of the body. */
  body?: Record<string, unknown>;
  expect: number;
  /** Variables, and the field of the response that each one gets. */
  save?: Record<string, string>;
  /** Fields of the response (dotted), and their values as JSON, or as the name of a variable. */
  check?: Record<string, string>;
  /** A header of the response and its value. */
  checkHeader?: [name: string, value: string];
}

/** Stands for another value in each run. The two formats have different names for it. */
export const UNIQUE = '<unique>';
export const UNIQUE_PHONE = '<phone>';

const newAccount = (who: string) => ({
  name: who,
  email: `${who.toLowerCase()}-${UNIQUE}@example.com`,
  phone: UNIQUE_PHONE,
});

const changeStatus = (title: string, name: string, as: 'seller' | 'buyer' | 'admin', status: string): PurchaseStep => ({
  title,
  name,
  operationId: 'changeTransactionStatus',
  as,
  path: { id: '{{transaction_id}}' },
  body: { status },
  expect: 204,
});

const order: Omit<PurchaseStep, 'title' | 'name'> = {
  operationId: 'createTransaction',
  as: 'buyer',
  headers: { 'Idempotency-Key': 'order-{{address_id}}' },
  body: { address_id: '{{address_id}}', items: [{ product_id: '{{product_id}}', quantity: 2 }] },
  expect: 201,
};

const purchase: PurchaseStep[] = [
  {
    title: 'A seller registers, which opens a store',
    name: 'registerSeller',
    operationId: 'register',
    body: newAccount('Seller'),
    expect: 201,
    save: { seller_token: 'token' },
  },
  {
    title: 'A buyer registers',
    name: 'registerBuyer',
    operationId: 'register',
    body: newAccount('Buyer'),
    expect: 201,
    save: { buyer_token: 'token' },
  },
  {
    title: 'The admin of the development data logs in',
    name: 'logInAdmin',
    operationId: 'logIn',
    body: { email: 'admin@example.com', password: 'admin123' },
    expect: 200,
    save: { admin_token: 'token' },
  },
  {
    title: 'The admin adds a category',
    name: 'addCategory',
    operationId: 'createCategory',
    as: 'admin',
    body: { name: `Mugs ${UNIQUE}` },
    expect: 201,
    save: { category_id: 'id' },
  },
  {
    title: 'The seller adds a product',
    name: 'addProduct',
    operationId: 'createProduct',
    as: 'seller',
    body: { category_id: '{{category_id}}' },
    expect: 201,
    save: { product_id: 'id' },
    check: { price: '12.5' },
  },
  {
    title: 'Anyone finds the product in the catalog',
    name: 'findProduct',
    operationId: 'listCatalogProducts',
    query: { search: 'blue', category_id: '{{category_id}}' },
    expect: 200,
    check: { 'data.0.id': 'product_id', 'pagination.total': '1' },
  },
  {
    title: 'The buyer adds a shipping address',
    name: 'addAddress',
    operationId: 'createAddress',
    as: 'buyer',
    expect: 201,
    save: { address_id: 'id' },
  },
  { title: 'The buyer orders two', name: 'placeOrder', ...order, save: { transaction_id: 'id' } },
  {
    title: 'The buyer sends the order again, and nothing more is ordered',
    name: 'placeOrderAgain',
    ...order,
    check: { id: 'transaction_id' },
    checkHeader: ['Idempotent-Replayed', 'true'],
  },
  {
    ...changeStatus('The buyer may not say that it is paid', 'buyerPays', 'buyer', 'paid'),
    expect: 403,
    check: { code: '"forbidden"' },
  },
  changeStatus('The admin says that it is paid', 'pay', 'admin', 'paid'),
  changeStatus('The seller ships', 'ship', 'seller', 'shipped'),
  {
    title: 'The buyer reads the shipped order',
    name: 'readOrder',
    operationId: 'getTransaction',
    as: 'buyer',
    path: { id: '{{transaction_id}}' },
    expect: 200,
    check: { 'transaction.status': '"shipped"', 'transaction.total': '25', 'history.length': '2' },
  },
  {
    title: 'The seller sees the stock that is left',
    name: 'readStock',
    operationId: 'getProduct',
    as: 'seller',
    path: { id: '{{product_id}}' },
    expect: 200,
    check: { stock: '8' },
  },
];

export interface Described {
  info: { title: string };
  paths: Record<
    string,
    Record<string, { operationId?: string; requestBody?: { content: Record<string, { example?: unknown }> } }>
  >;
}

export interface PurchaseRequest extends PurchaseStep {
  method: string;
  /** With the values of path and query. */
  url: string;
  /** Header names and values. */
  sent: [name: string, value: string][];
  json: string | undefined;
}

/** The steps as requests: method and path of the operation, and the example of its body with the step's fields. */
export const purchaseRequests = ({ paths }: Described): PurchaseRequest[] => {
  const operations = new Map(
    Object.entries(paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => [operation.operationId, { path, method, operation }]),
    ),
  );
  return purchase.map((step) => {
    const found = operations.get(step.operationId);
    if (!found) throw new Error(`the document has no operation ${step.operationId}`);
    const content = found.operation.requestBody?.content['application/json'];
    const json = content && JSON.stringify({ ...(content.example as object), ...step.body }, null, 2);
    const query = Object.entries(step.query ?? {}).map(([name, value]) => `${name}=${value}`);
    const path = found.path.replace(/\{(\w+)\}/g, (_, name: string) => step.path?.[name] ?? '');
    return {
      ...step,
      method: found.method.toUpperCase(),
      url: path + (query.length > 0 ? `?${query.join('&')}` : ''),
      sent: [
        ...(step.as ? [['Authorization', `Bearer {{${step.as}_token}}`] as [string, string]] : []),
        ...Object.entries(step.headers ?? {}),
        ...(json ? [['Content-Type', 'application/json'] as [string, string]] : []),
      ],
      // An id is a number.
      json: json?.replace(/"(\{\{\w+_id\}\})"/g, '$1'),
    };
  });
};
