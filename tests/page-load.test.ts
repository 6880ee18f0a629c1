import type { ServiceName } from '@shop/shop';
import { aPng, aProduct, aUser } from '@shop/testing';
import { startNamed } from './support/all-services';
import { type Gateway, startGateway } from './support/nginx-gateway';
import type { TestApp } from './support/test-app';

/** The requests of a browser that shows a page stay below the default limits. */

const DEFAULTS = { RATE_LIMIT_PER_SECOND: undefined, RATE_LIMIT_BURST: undefined, TRUST_PROXY: '127.0.0.2' };
const apps: TestApp[] = [];
let gateway: Gateway;
let image: string;

beforeAll(async () => {
  const start = async (name: ServiceName): Promise<string[]> => {
    const app = await startNamed(name, DEFAULTS);
    apps.push(app);
    return [new URL(app.url).host];
  };
  const [file, product, auth] = [await start('file'), await start('product'), await start('auth')];
  gateway = await startGateway({ file, product, auth }, { limits: {} });
  const user = await aUser();
  const form = new FormData();
  form.set('file', new Blob([new Uint8Array(aPng())], { type: 'image/png' }), 'mug.png');
  const response = await fetch(`${base()}/api/v1/files/upload`, { method: 'POST', headers: user.auth, body: form });
  expect(response.status).toBe(201);
  image = ((await response.json()) as { url: string }).url;
});
afterAll(() => Promise.all([gateway?.stop(), ...apps.map((app) => app.close())]));

const base = () => `http://127.0.0.1:${gateway.port}`;
const statuses = async (paths: string[]): Promise<Set<number>> => {
  const responses = await Promise.all(paths.map((path) => fetch(base() + path)));
  await Promise.all(responses.map((response) => response.arrayBuffer()));
  return new Set(responses.map(({ status }) => status));
};
const images = (count: number): string[] => Array.from({ length: count }, (_, index) => `${image}?${index}`);

test('53 concurrent images', async () => {
  expect(await statuses(images(53))).toEqual(new Set([200]));
});

test('a catalog page with 4 API calls and 22 images, opened four times', async () => {
  const { id } = await aProduct();
  const catalog = '/api/v1/catalog/products';
  const calls = [catalog, `${catalog}?page=2`, `${catalog}/${id}`, '/api/v1/categories'];
  for (let visit = 0; visit < 4; visit += 1) expect(await statuses([...calls, ...images(22)])).toEqual(new Set([200]));
});
