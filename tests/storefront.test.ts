import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { createClient, isApiError, type ShopClient, type TokenSet } from '@shop/client';
import { serviceNames } from '@shop/shop';
import { repoRoot } from '@shop/test-servers';
import { aPng, closeTestDatabase, eventually, useOwnDatabase } from '@shop/testing';
import { Redis } from 'ioredis';
import type { Browser, BrowserContext, Locator, Page } from 'playwright-core';
import { startAll } from './support/all-services';
import { launchBrowser } from './support/browser';
import { type Gateway, startGateway } from './support/nginx-gateway';

/**
 * The client, the storefront and the pages at /docs against the six services behind Nginx, with the default rate limits, in
 * Node and in Chromium.
 * With SHOTS=folder, keeps a screenshot of each page that it looks at.
 */

const run = promisify(execFile);
const PASSWORD = 'correct horse';
const ADMIN = { email: 'admin@example.com', password: 'admin123' };
const axe = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');
/** Has violations that only its makers can mend: buttons in buttons, a select without a name. */
const SWAGGER_UI = '.swagger-ui';
const shots = process.env.SHOTS;

let services: Awaited<ReturnType<typeof startAll>> = [];
let gateway: Gateway;
let browser: Browser;
let url: string;

beforeAll(async () => {
  if (shots) mkdirSync(shots, { recursive: true });
  await run('scripts/build-storefront.sh', { cwd: repoRoot });
  const defaults = { RATE_LIMIT_PER_SECOND: undefined, RATE_LIMIT_BURST: undefined, TRUST_PROXY: '127.0.0.2' };
  await useOwnDatabase();
  // It may hold lists of the database that the file before has used.
  const redis = new Redis({ port: Number(process.env.SHOP_TEST_REDIS_PORT) });
  await redis.flushall();
  redis.disconnect();
  services = await startAll(defaults);
  const upstreams = Object.fromEntries(services.map(({ name, app }) => [name, [new URL(app.url).host]]));
  gateway = await startGateway(upstreams, { limits: {} });
  // Browsers have features for localhost that they have for no other address without https.
  url = `http://localhost:${gateway.port}`;
  expect(Object.keys(upstreams).sort()).toEqual([...serviceNames].sort());
  await run('npm', ['run', '--silent', 'demo', '--', url], { cwd: repoRoot });
  browser = await launchBrowser();
});
afterAll(async () => {
  await browser?.close();
  await gateway?.stop();
  await Promise.all(services.map(({ app }) => app.close()));
  await closeTestDatabase();
});

let contexts: BrowserContext[] = [];
afterEach(async () => {
  await Promise.all(contexts.map((context) => context.close()));
  contexts = [];
});

/** What the pages of this test have logged as errors: exceptions, violations of the Content-Security-Policy, failed requests. */
const complaints: string[] = [];
beforeEach(() => {
  complaints.length = 0;
});

async function openPage(options: Parameters<Browser['newContext']>[0] = {}): Promise<Page> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  contexts.push(context);
  await context.addInitScript({
    content:
      'window.shift = 0; new PerformanceObserver((list) => { for (const one of list.getEntries()) ' +
      'if (!one.hadRecentInput) window.shift += one.value; }).observe({ type: "layout-shift", buffered: true });',
  });
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
  page.on('pageerror', (error) => complaints.push(String(error)));
  return page;
}

const layoutShift = (page: Page): Promise<number> => page.evaluate('window.shift') as Promise<number>;

const newUser = () => ({
  name: 'Ada',
  email: `${randomUUID()}@example.com`,
  phone: `+49${String(Math.floor(Math.random() * 1e10)).padStart(10, '0')}`,
  password: PASSWORD,
});

/** axe finds nothing, and nothing is wider than the screen: on a desk in light, on a phone in dark. */
async function inspect(page: Page, name: string): Promise<void> {
  await page.waitForLoadState('networkidle');
  for (const [colorScheme, width, height] of [
    ['dark', 390, 844],
    ['light', 1280, 900],
  ] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    await page.setViewportSize({ width, height });
    await page.evaluate(axe);
    const { violations } = (await page.evaluate(`axe.run({ exclude: ['${SWAGGER_UI}'] })`)) as {
      violations: { id: string; nodes: { html: string; failureSummary: string }[] }[];
    };
    const found = violations.flatMap(({ id, nodes }) =>
      nodes.map((node) => `${id}: ${node.html}\n${node.failureSummary}`),
    );
    if (shots) await page.screenshot({ path: path.join(shots, `${name}-${colorScheme}.png`), fullPage: true });
    expect([name, colorScheme, found]).toEqual([name, colorScheme, []]);
    const overflow = await page.evaluate('document.documentElement.scrollWidth - window.innerWidth');
    expect([name, width, overflow]).toEqual([name, width, 0]);
  }
}

async function signUp(page: Page, user = newUser()): Promise<typeof user> {
  await page.getByRole('button', { name: 'Sign up' }).click();
  const form = page.getByRole('form', { name: 'Sign up' });
  await form.getByLabel('Name').fill(user.name);
  await form.getByLabel('Email address').fill(user.email);
  await form.getByLabel('Phone number').fill(user.phone);
  await form.getByLabel('Password').fill(user.password);
  await form.getByRole('button', { name: 'Sign up' }).click();
  await form.waitFor({ state: 'detached' });
  return user;
}

async function logIn(page: Page, email: string, password: string): Promise<void> {
  const form = page.getByRole('form', { name: 'Log in' });
  await form.getByLabel('Email address').fill(email);
  await form.getByLabel('Password').fill(password);
  await form.getByRole('button', { name: 'Log in' }).click();
  await form.waitFor({ state: 'detached' });
}

const goTo = (page: Page, place: string) => page.goto(`${url}/#${place}`);
const card = (page: Page, name: string): Locator => page.locator('.card', { hasText: name });

describe('the client in Node', () => {
  const file = () => new File([new Uint8Array(aPng())], 'mug.png', { type: 'image/png' });

  test('sells and buys, with an image, a list over its pages, and errors with codes', async () => {
    const seller = createClient({ baseUrl: url });
    await seller.register(newUser());
    const made = await seller.post('/api/v1/products', { body: { name: 'Client mug', price: 19.99, stock: 3 } });
    const { image_url } = await seller.put('/api/v1/products/{id}/image', {
      path: { id: made.id },
      body: { image: file() },
    });
    expect((await fetch(url + image_url)).headers.get('content-type')).toBe('image/png');

    const buyer = createClient({ baseUrl: url });
    await buyer.register(newUser());
    const { id: address_id } = await buyer.post('/api/v1/addresses', { body: { address: 'Ringstr. 5' } });
    const order = (quantity: number) => ({ address_id, items: [{ product_id: made.id, quantity }] });
    const error = await buyer.post('/api/v1/transactions', { body: order(4) }).catch((one: unknown) => one);
    expect(isApiError(error, 'insufficient_stock') && error.problem.products).toEqual([
      { product_id: made.id, requested: 4, available: 3 },
    ]);
    const idempotencyKey = randomUUID();
    const [first, second] = await Promise.all([
      buyer.post('/api/v1/transactions', { body: order(1), idempotencyKey }),
      buyer.post('/api/v1/transactions', { body: order(1), idempotencyKey }),
    ]);
    expect(second).toEqual(first);

    const names: string[] = [];
    for await (const { name } of buyer.list('/api/v1/catalog/products', { query: { limit: 4, sort: 'name' } }))
      names.push(name);
    expect(names).toHaveLength(20);
    expect(names).toEqual([...names].sort((a, b) => a.localeCompare(b)));
  });

  test('30 calls at once pass the rate limit of 10 per second with a burst of 20', async () => {
    const shop = createClient({ baseUrl: url, retries: 8 });
    const pages = await Promise.all(
      Array.from({ length: 30 }, () => shop.get('/api/v1/stores').catch((error) => error.status)),
    );
    expect(new Set(pages)).toEqual(new Set([401]));
  });

  test('refreshes once for all calls that meet an expired token', async () => {
    const sets: (TokenSet | undefined)[] = [];
    const shop = createClient({ baseUrl: url, onSession: (set) => sets.push(set) });
    const user = newUser();
    await shop.register(user);
    const [set] = sets;
    const later = createClient({
      baseUrl: url,
      tokens: { ...(set as TokenSet), token: 'expired' },
      onSession: (one) => sets.push(one),
    });
    const answers = await Promise.all(Array.from({ length: 5 }, () => later.get('/api/v1/auth/me')));
    expect(answers.map(({ email }) => email)).toEqual(Array(5).fill(user.email));
    expect(sets).toHaveLength(2);
    await later.logOut();
    await expect(later.get('/api/v1/auth/me')).rejects.toMatchObject({ status: 401 });
  });
});

test('the client in Chromium: a session in cookies, an upload, a list, an error', async () => {
  const page = await openPage({ bypassCSP: true });
  await page.goto(`${url}/openapi.json`);
  const { stdout } = await run(process.execPath, ['packages/client/bundle.mjs'], { cwd: repoRoot });
  await page.route('**/client.js', (route) => route.fulfill({ contentType: 'text/javascript', body: stdout }));
  await page.addScriptTag({
    content: "import * as client from '/client.js'; window.shopClient = client;",
    type: 'module',
  });
  await page.waitForFunction('window.shopClient');
  const result = await page.evaluate(async (user) => {
    const { createClient: create, isApiError: isError } = (
      globalThis as unknown as { shopClient: { createClient: typeof createClient; isApiError: typeof isApiError } }
    ).shopClient;
    const shop: ShopClient = create({ session: 'cookies' });
    await shop.register(user);
    const { email } = await shop.get('/api/v1/auth/me');
    const upload = await shop.post('/api/v1/files/upload', {
      body: { file: new File(['hello'], 'a.txt', { type: 'text/plain' }) },
    });
    let count = 0;
    for await (const _ of shop.list('/api/v1/catalog/products', { query: { limit: 7 } })) count += 1;
    const code = await shop
      .get('/api/v1/products/{id}', { path: { id: 999_999 } })
      .catch((error: unknown) => isError(error) && error.code);
    await shop.logOut();
    const status = await shop.get('/api/v1/auth/me').catch((error: unknown) => isError(error) && error.status);
    return { email, size: upload.size, count, code, status };
  }, newUser());
  expect(result).toMatchObject({
    email: expect.stringContaining('@example.com'),
    size: 5,
    code: 'not_found',
    status: 401,
  });
  expect(result.count).toBeGreaterThanOrEqual(19);
});

describe('a buyer', () => {
  test('browses, filters, fills a basket from two stores, signs up, orders, and cancels', async () => {
    const page = await openPage();
    await page.goto(url);
    await card(page, 'Stoneware mug').waitFor();
    await page.waitForLoadState('networkidle');
    expect(await layoutShift(page)).toBeLessThan(0.02);
    await inspect(page, 'browse');

    await page.getByRole('navigation', { name: 'Categories' }).getByRole('link', { name: 'Books' }).click();
    await page.getByRole('heading', { name: 'Books' }).waitFor();
    await eventually('only books', async () => (await page.locator('.card').count()) === 3);
    await page.getByLabel('Sort by').selectOption('price');
    await eventually(
      'the cheapest book first',
      async () =>
        (await page.locator('.card h2').allTextContents()).join() ===
        'Dotted notebook,Birds of the town,Map of the coast',
    );
    await page.getByRole('spinbutton', { name: 'To' }).fill('30');
    await page.getByRole('button', { name: 'Set price' }).click();
    await eventually('two of them', async () => (await page.locator('.card').count()) === 2);
    await page.getByRole('link', { name: 'Remove all filters' }).click();

    await page.getByLabel('Search for products').fill('can');
    await page.keyboard.press('Enter');
    await card(page, 'Watering can').getByText('Sold out').waitFor();
    await page.getByLabel('Only what is in stock').check();
    await eventually(
      'only the candle',
      async () => (await page.locator('.card h2').allTextContents()).join() === 'Beeswax candle',
    );
    await page.getByRole('button', { name: 'Add Beeswax candle to basket' }).click();
    await goTo(page, '/?search=nothing+like+this');
    await page.getByText('Nothing fits these filters').waitFor();
    await inspect(page, 'nothing-found');

    await goTo(page, '/');
    await page.getByRole('link', { name: 'Stoneware mug' }).click();
    await page.getByRole('heading', { name: 'Stoneware mug' }).waitFor();
    await page.getByRole('button', { name: 'One Stoneware mug more' }).click();
    await page.getByRole('button', { name: 'Add to basket' }).click();
    await inspect(page, 'product');
    await page.getByRole('link', { name: 'Basket, 3 items' }).click();
    await page.getByText('These are 2 orders').waitFor();
    await inspect(page, 'basket-logged-out');

    await signUp(page);
    await page.getByLabel('Street and number').fill('Ringstr. 5');
    await page.getByLabel('Postal code').fill('10115');
    await page.getByLabel('City').fill('Berlin');
    await page.getByLabel('Name of this address').fill('Home');
    await page.getByRole('button', { name: 'Save address' }).click();
    await page.getByRole('radio', { name: 'Home' }).waitFor();
    await inspect(page, 'basket');
    expect(
      await page.evaluate('document.cookie + JSON.stringify(localStorage) + JSON.stringify(sessionStorage)'),
    ).not.toMatch(/eyJ/);
    await page.getByRole('button', { name: 'Place 2 orders' }).click();
    await page.getByRole('heading', { name: 'Thank you' }).waitFor();
    await inspect(page, 'thank-you');

    await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Orders' }).click();
    await eventually('both orders', async () => (await page.locator('.order-row').count()) === 2);
    await inspect(page, 'orders');
    // A reload keeps the session, which no script can read.
    await page.reload();
    await page.locator('.order-row', { hasText: '€37.00' }).getByRole('link').click();
    await page.getByText('The store waits for the payment').waitFor();
    await inspect(page, 'order');
    await page.getByRole('button', { name: 'Cancel order' }).click();
    await page.getByText('Nothing is charged').waitFor();
    await goTo(page, '/addresses');
    await page.getByText('Ringstr. 5').waitFor();
    await inspect(page, 'addresses');
    await goTo(page, '/account');
    await page.getByText('Customer since').waitFor();
    await inspect(page, 'account');
    await page.getByRole('button', { name: 'Log out' }).click();
    await page.getByRole('link', { name: 'Log in' }).waitFor();
    expect(complaints).toEqual([]);
  });

  test('buys with the keyboard alone', async () => {
    const page = await openPage();
    await page.goto(url);
    await card(page, 'Sourdough loaf').waitFor();
    const focused = () =>
      page.evaluate(`(() => {
        const { activeElement: element } = document;
        const label = element.id && document.querySelector('label[for="' + element.id + '"]');
        return (element.getAttribute('aria-label') ?? (label || element).textContent ?? '').trim();
      })()`) as Promise<string>;
    const tabTo = async (name: string) => {
      for (let count = 0; count < 80; count += 1) {
        await page.keyboard.press('Tab');
        if ((await focused()).startsWith(name)) return;
      }
      throw new Error(`Tab does not reach ${name}`);
    };
    const press = async (name: string) => {
      await tabTo(name);
      await page.keyboard.press('Enter');
    };
    const type = async (name: string, text: string) => {
      await tabTo(name);
      await page.keyboard.type(text);
    };
    await press('Sourdough loaf');
    await page.getByRole('heading', { name: 'Sourdough loaf' }).waitFor();
    // The focus is at the new page's heading, not at the top of the document.
    await eventually('the focus at the heading', async () => (await focused()) === 'Sourdough loaf');
    await press('Add to basket');
    await press('Open basket');
    await page.getByRole('heading', { name: 'Basket' }).waitFor();
    await press('Sign up');
    const user = newUser();
    await page.getByRole('form', { name: 'Sign up' }).waitFor();
    await tabTo('Skip to content');
    await page.keyboard.press('Enter');
    await type('Name', user.name);
    await type('Email address', user.email);
    await type('Phone number', user.phone);
    await type('Password', user.password);
    await page.keyboard.press('Enter');
    await page.getByLabel('Street and number').waitFor();
    await type('Street and number', 'Ringstr. 5');
    await type('Postal code', '10115');
    await type('City', 'Berlin');
    await page.keyboard.press('Enter');
    await page.getByRole('radio').waitFor();
    await press('Place order');
    await page.getByRole('heading', { name: 'Thank you' }).waitFor();
    expect(complaints).toEqual([]);
  });

  test('is told what went wrong: a price that has changed, stock that is gone, a shop that is away', async () => {
    const seller = createClient({ baseUrl: url });
    await seller.register(newUser());
    const { id } = await seller.post('/api/v1/products', { body: { name: 'Last lamp', price: 20, stock: 2 } });
    const page = await openPage();
    await goTo(page, `/products/${id}`);
    await page.getByRole('button', { name: 'Add to basket' }).click();
    await goTo(page, '/basket');
    await signUp(page);
    await page.getByLabel('Street and number').fill('Ringstr. 5');
    await page.getByLabel('Postal code').fill('10115');
    await page.getByLabel('City').fill('Berlin');
    await page.getByRole('button', { name: 'Save address' }).click();
    await page.getByRole('radio').waitFor();

    await seller.put('/api/v1/products/{id}', { path: { id }, body: { price: 25 } });
    await page.getByRole('button', { name: 'Place order' }).click();
    await page.getByText('A price has changed').waitFor();
    await page.getByText('€25.00 each').waitFor();
    await seller.post('/api/v1/products/{id}/stock', { path: { id }, body: { change: -2 } });
    await page.getByRole('button', { name: 'Place order' }).click();
    await page.getByText('“Last lamp” is sold out.').waitFor();
    await inspect(page, 'basket-sold-out');
    const { data } = await seller.get('/api/v1/transactions', { query: { as: 'seller' } });
    expect(data).toEqual([]);

    await page.route('**/api/v1/catalog/**', (route) => route.abort());
    await goTo(page, '/');
    await page.getByText('The shop did not respond').waitFor();
    await page.unroute('**/api/v1/catalog/**');
    await page.getByRole('button', { name: 'Try again' }).click();
    await card(page, 'Stoneware mug').waitFor();
  });
});

test('a seller adds a product with an image, changes its stock, and ships an order', async () => {
  const page = await openPage();
  await goTo(page, '/sell');
  await page.getByText('Log in or sign up').waitFor();
  await inspect(page, 'log-in');
  await signUp(page);
  await page.getByText('You sell nothing yet').waitFor();
  await inspect(page, 'sell-empty');
  await page.getByRole('link', { name: 'Add your first product' }).click();
  await page.getByLabel('Name').fill('Enamel plate');
  await page.getByLabel('Price').fill('12.50');
  await page.getByLabel('Stock').fill('2');
  await page.getByLabel('Category').selectOption({ label: 'Home' });
  await page
    .getByLabel('Image')
    .setInputFiles({ name: 'a.txt', mimeType: 'text/plain', buffer: Buffer.from('no image') });
  await page.getByRole('button', { name: 'Add product' }).click();
  await page.getByText('This file is not an image').waitFor();
  await inspect(page, 'sell-new');
  await page.getByLabel('Image').setInputFiles(path.join(repoRoot, 'docs/mug.png'));
  await page.getByRole('button', { name: 'Add product' }).click();
  const row = page.locator('.sell-row');
  await row.getByText('2 in stock').waitFor();
  expect(await row.count()).toBe(1);
  await row.getByLabel('Change the stock of Enamel plate by').fill('-5');
  await row.getByRole('button').click();
  await row.getByText('Only 2 of “Enamel plate” left').waitFor();
  await row.getByLabel('Change the stock of Enamel plate by').fill('3');
  await row.getByRole('button').click();
  await row.getByText('5 in stock').waitFor();
  expect(await page.evaluate("document.querySelector('.sell-row img').naturalWidth")).toBeGreaterThan(0);
  await inspect(page, 'sell');

  const buyer = createClient({ baseUrl: url });
  await buyer.register(newUser());
  const { data } = await buyer.get('/api/v1/catalog/products', { query: { search: 'enamel plate' } });
  const { id: address_id } = await buyer.post('/api/v1/addresses', { body: { address: 'Ringstr. 5' } });
  const items = [{ product_id: data[0]?.id ?? 0, quantity: 1 }];
  const { id } = await buyer.post('/api/v1/transactions', { body: { address_id, items } });
  const admin = createClient({ baseUrl: url });
  await admin.logIn(ADMIN);
  await admin.patch('/api/v1/transactions/{id}', { path: { id }, body: { status: 'paid' } });

  await page.getByRole('navigation', { name: 'Sell' }).getByRole('link', { name: 'Orders' }).click();
  await page.getByRole('link', { name: `Order ${id}` }).click();
  await page.getByRole('button', { name: 'Mark as shipped' }).click();
  await page.getByText('On its way').waitFor();
  await inspect(page, 'sell-order');
  const { transaction } = await buyer.get('/api/v1/transactions/{id}', { path: { id } });
  expect(transaction.status).toBe('shipped');

  await goTo(page, '/sell');
  await page.getByRole('link', { name: 'Enamel plate' }).click();
  await page.getByLabel('Price').fill('13');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.locator('.sell-row', { hasText: '€13.00' }).waitFor();
});

test.each(['/docs', '/docs/getting-started', '/docs/errors', '/docs/errors/insufficient_stock', '/docs/reference'])(
  '%s has no violations of axe',
  async (path) => {
    const page = await openPage();
    await page.goto(url + path);
    if (path === '/docs/reference') await page.locator(`${SWAGGER_UI} .opblock`).first().waitFor();
    await inspect(page, path.slice(1).replaceAll('/', '-'));
    expect(complaints).toEqual([]);
  },
);

test.each([
  ['import', '--input-type=module', "const { createClient } = await import('@shop/client'); createClient().get;"],
  ['require', '--input-type=commonjs', "const { createClient } = require('@shop/client'); createClient().get;"],
])('the client is there for %s', async (_, type, code) => {
  await run(process.execPath, [type, '-e', code], { cwd: repoRoot });
});

test('the demo can be filled again, and its accounts work', async () => {
  const { stdout } = await run('npm', ['run', '--silent', 'demo', '--', url], { cwd: repoRoot });
  expect(stdout).toContain('Kiln & Clay: 0 products added');
  const page = await openPage();
  await goTo(page, '/account');
  await logIn(page, 'kiln-clay@shop.example', 'demo shop demo');
  await page.getByRole('heading', { name: 'Hello, Kiln & Clay' }).waitFor();
});
