import { randomInt, randomUUID } from 'node:crypto';
import { OperatorError } from '@shop/test-servers';
import { curlOf, failed, type ResponseBody, type Step, send } from './journey-step';

interface JourneyOptions {
  /** The gateway, e.g. http://localhost:8000. */
  baseUrl: string;
  imagePath: string;
  print: (line: string) => void;
}

/** A complete purchase through Nginx, from two registrations to the buyer's list. Prints each step as a curl command. */
export async function runJourney({ baseUrl, imagePath, print }: JourneyOptions): Promise<void> {
  const steps = { count: 0 };
  const run = async (step: Step): Promise<ResponseBody> => {
    steps.count += 1;
    print(`\n# ${steps.count}. ${step.title}\n${curlOf(baseUrl, step)}`);
    const { status, text } = await send(baseUrl, step);
    print(text || `(${status}, no body)`);
    if (status !== step.expect) throw failed(step, `expected ${step.expect}, got ${status}: ${text}`);
    return text && step.path.startsWith('/api') ? (JSON.parse(text) as ResponseBody) : {};
  };
  /** Fails the step unless `truth` holds for its response. */
  const check = (step: string, truth: boolean, promise: string): void => {
    if (!truth) throw new OperatorError(`${step} failed: expected ${promise}`);
  };

  const unique = randomUUID().slice(0, 8);
  const register = async (who: string): Promise<string> => {
    const response = await run({
      title: `A ${who.toLowerCase()} registers`,
      method: 'POST',
      path: '/api/v1/auth/register',
      json: {
        name: who,
        email: `${who.toLowerCase()}-${unique}@example.com`,
        phone: `+${randomInt(1e10, 1e11)}`,
        password: 'correct horse battery',
      },
      expect: 201,
    });
    return String(response.token);
  };

  const seller = await register('Seller');
  const buyer = await register('Buyer');
  const admin = await run({
    title: 'The admin logs in',
    method: 'POST',
    path: '/api/v1/auth/login',
    json: { email: 'admin@example.com', password: 'admin123' },
    expect: 200,
  });
  const category = await run({
    title: 'The admin creates a category',
    method: 'POST',
    path: '/api/v1/categories',
    token: String(admin.token),
    json: { name: `Mugs ${unique}` },
    expect: 201,
  });
  const product = await run({
    title: 'The seller adds a product',
    method: 'POST',
    path: '/api/v1/products',
    token: seller,
    json: { name: 'Blue mug', price: 12.5, stock: 10, category_id: category.id },
    expect: 201,
  });
  const withImage = await run({
    title: 'The seller sets its image',
    method: 'PUT',
    path: `/api/v1/products/${product.id}/image`,
    token: seller,
    file: { field: 'image', path: imagePath },
    expect: 200,
  });
  await run({ title: 'Anyone can view the image', method: 'GET', path: String(withImage.image_url), expect: 200 });
  const found = await run({
    title: 'The buyer finds it in the catalog',
    method: 'GET',
    path: `/api/v1/catalog/products?search=blue&category_id=${category.id}`,
    expect: 200,
  });
  check('The buyer finds it', (found.data as ResponseBody[] | undefined)?.[0]?.id === product.id, 'the product');
  const address = await run({
    title: 'The buyer adds a shipping address',
    method: 'POST',
    path: '/api/v1/addresses',
    token: buyer,
    json: { label: 'Home', address: 'Main Street 1', city: 'Springfield', postal_code: '12345' },
    expect: 201,
  });
  const order: Omit<Step, 'title'> = {
    method: 'POST',
    path: '/api/v1/transactions',
    token: buyer,
    idempotencyKey: `order-${unique}`,
    json: { address_id: address.id, items: [{ product_id: product.id, quantity: 2 }] },
    expect: 201,
  };
  const bought = await run({ title: 'The buyer buys two', ...order });
  const again = await run({ title: 'The buyer retries with the same idempotency key', ...order });
  check('The buyer retries', again.id === bought.id, 'the same transaction');
  const change = (title: string, token: string, status: string) =>
    run({ title, method: 'PATCH', path: `/api/v1/transactions/${bought.id}`, token, json: { status }, expect: 204 });
  await change('The admin marks it as paid', String(admin.token), 'paid');
  await change('The seller ships', seller, 'shipped');
  const shown = await run({
    title: 'The buyer reads the transaction',
    method: 'GET',
    path: `/api/v1/transactions/${bought.id}`,
    token: buyer,
    expect: 200,
  });
  check(
    'The buyer reads the transaction',
    (shown.transaction as ResponseBody | undefined)?.total === 25,
    'a total of 25',
  );
  check(
    'The buyer reads the transaction',
    (shown.history as ResponseBody[] | undefined)?.length === 2,
    'two steps of history',
  );
  const list = await run({
    title: 'The buyer lists the transactions',
    method: 'GET',
    path: '/api/v1/transactions?limit=5',
    token: buyer,
    expect: 200,
  });
  check(
    'The buyer lists the transactions',
    (list.data as ResponseBody[] | undefined)?.[0]?.id === bought.id,
    'the purchase',
  );
  const left = await run({
    title: 'The seller checks the remaining stock',
    method: 'GET',
    path: `/api/v1/products/${product.id}`,
    token: seller,
    expect: 200,
  });
  check('The seller checks the remaining stock', left.stock === 8, 'a stock of 8');
  print(`\n${steps.count} steps, all successful.`);
}
