import { randomInt, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { basename, relative } from 'node:path';
import { FleetError } from './errors';

const TIMEOUT_MS = 10_000;

interface Step {
  title: string;
  method: 'GET' | 'POST';
  path: string;
  token?: string;
  json?: Record<string, unknown>;
  form?: Record<string, string>;
  /** A form field and the file it carries. */
  file?: { field: string; path: string };
  expect: number;
}

type Answer = Record<string, unknown>;

/** Says which step did not answer as it should, what was asked and what came. */
const failed = (step: Step, reason: string): FleetError =>
  new FleetError(`${step.title} failed: ${step.method} ${step.path}: ${reason}`);

interface JourneyOptions {
  /** The gateway, e.g. http://localhost:8000. */
  baseUrl: string;
  imagePath: string;
  print: (line: string) => void;
}

/** A whole purchase through Nginx, from two registrations to the buyer's list. Each step is shown as the curl call it is. */
export async function runJourney({ baseUrl, imagePath, print }: JourneyOptions): Promise<void> {
  const steps = { count: 0 };
  const run = async (step: Step): Promise<Answer> => {
    steps.count += 1;
    print(`\n# ${steps.count}. ${step.title}\n${curlOf(baseUrl, step)}`);
    const { status, text } = await send(baseUrl, step);
    print(text || `(${status}, no body)`);
    if (status !== step.expect) throw failed(step, `expected ${step.expect}, got ${status}: ${text}`);
    return text && step.path.startsWith('/api') ? (JSON.parse(text) as Answer) : {};
  };
  /** Fails the step when a promise about its answer is broken. */
  const check = (step: string, truth: boolean, promise: string): void => {
    if (!truth) throw new FleetError(`${step} failed: expected ${promise}`);
  };

  const unique = randomUUID().slice(0, 8);
  const register = async (who: string): Promise<string> => {
    const answer = await run({
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
    return String(answer.token);
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
    title: 'The seller offers a product with an image',
    method: 'POST',
    path: '/api/v1/products',
    token: seller,
    form: { name: 'Blue mug', price: '12.50', stock: '10', category_id: String(category.id) },
    file: { field: 'image', path: imagePath },
    expect: 201,
  });
  await run({ title: 'Anyone sees the image', method: 'GET', path: String(product.image_url), expect: 200 });
  const address = await run({
    title: 'The buyer says where to ship to',
    method: 'POST',
    path: '/api/v1/addresses',
    token: buyer,
    json: { label: 'Home', address: 'Main Street 1', city: 'Springfield', postal_code: '12345' },
    expect: 201,
  });
  const bought = await run({
    title: 'The buyer buys two',
    method: 'POST',
    path: '/api/v1/transactions',
    token: buyer,
    json: { address_id: address.id, items: [{ product_id: product.id, quantity: 2 }] },
    expect: 201,
  });
  const shown = await run({
    title: 'The buyer reads the transaction',
    method: 'GET',
    path: `/api/v1/transactions/${bought.id}`,
    token: buyer,
    expect: 200,
  });
  check('The buyer reads the transaction', (shown.transaction as Answer | undefined)?.total === 25, 'a total of 25');
  const list = await run({
    title: 'The buyer lists the transactions',
    method: 'GET',
    path: '/api/v1/transactions?limit=5',
    token: buyer,
    expect: 200,
  });
  check('The buyer lists the transactions', (list.data as Answer[] | undefined)?.[0]?.id === bought.id, 'the purchase');
  const left = await run({
    title: 'The seller sees what is left',
    method: 'GET',
    path: `/api/v1/products/${product.id}`,
    token: seller,
    expect: 200,
  });
  check('The seller sees what is left', left.stock === 8, 'a stock of 8');
  print(`\n${steps.count} steps, all as they should be.`);
}

async function send(baseUrl: string, step: Step): Promise<{ status: number; text: string }> {
  const headers: Record<string, string> = step.token ? { Authorization: `Bearer ${step.token}` } : {};
  if (step.json) headers['Content-Type'] = 'application/json';
  const body = step.json ? JSON.stringify(step.json) : step.form ? formOf(step) : null;
  try {
    const answer = await fetch(new URL(step.path, baseUrl), {
      method: step.method,
      headers,
      body,
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    const bytes = new Uint8Array(await answer.arrayBuffer());
    const type = answer.headers.get('content-type') ?? '';
    const text = type.includes('json')
      ? new TextDecoder().decode(bytes)
      : bytes.length > 0
        ? `(${bytes.length} bytes of ${type})`
        : '';
    return { status: answer.status, text };
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error);
    throw failed(step, `no answer from ${baseUrl} (${cause}). Does ./run-services.sh run?`);
  }
}

function formOf({ form = {}, file }: Step): FormData {
  const data = new FormData();
  for (const [name, value] of Object.entries(form)) data.set(name, value);
  if (file) data.set(file.field, new Blob([readFileSync(file.path)], { type: 'image/png' }), basename(file.path));
  return data;
}

const quote = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

function curlOf(baseUrl: string, { method, path, token, json, form, file }: Step): string {
  const parts = ['curl'];
  if (method !== 'GET' && !json && !form) parts.push(`-X ${method}`);
  parts.push(quote(new URL(path, baseUrl).href));
  if (token) parts.push(`-H ${quote(`Authorization: Bearer ${token}`)}`);
  if (json) parts.push(`-H 'Content-Type: application/json' -d ${quote(JSON.stringify(json))}`);
  for (const [name, value] of Object.entries(form ?? {})) parts.push(`-F ${quote(`${name}=${value}`)}`);
  if (file) parts.push(`-F ${quote(`${file.field}=@${relative(process.cwd(), file.path)}`)}`);
  return parts.join(' ');
}
