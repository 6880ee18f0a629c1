import path from 'node:path';
import { runJourney } from '@shop/journey';
import { repoRoot, serviceNames } from '@shop/test-servers';
import { startTestFleet, type TestFleet } from '../support/test-fleet';

let shop: TestFleet;
beforeAll(async () => {
  shop = await startTestFleet();
});
afterAll(() => shop.stop());

const journey = (baseUrl: string, lines: string[]) =>
  runJourney({ baseUrl, imagePath: path.join(repoRoot, 'docs/mug.png'), print: (line) => lines.push(line) });

test('a complete purchase through Nginx prints each step as curl', async () => {
  const lines: string[] = [];
  await journey(shop.fleet.url, lines);
  const curls = lines.join('\n').match(/^curl /gm) ?? [];
  expect(curls.length).toBe(16);
  expect(lines.at(-1)).toContain('16 steps, all successful');
});

test('a failed journey reports which step failed and why', async () => {
  await shop.fleet.instance('address').stop();
  try {
    await expect(journey(shop.fleet.url, [])).rejects.toThrow(
      /The buyer adds a shipping address failed: .*expected 201, got 503/,
    );
  } finally {
    await shop.fleet.instance('address').start();
  }
  await expect(journey('http://127.0.0.1:1', [])).rejects.toThrow(
    /A seller registers failed: .*Is .\/run-services.sh running/,
  );
});

test('Nginx serves one API document of all six services, its pages and every /health, but no /metrics', async () => {
  const api = (await (await fetch(`${shop.fleet.url}/openapi.json`)).json()) as { paths: object };
  for (const prefix of ['auth', 'products', 'transactions', 'addresses', 'stores', 'files/upload']) {
    expect(Object.keys(api.paths).some((declared) => declared.startsWith(`/api/v1/${prefix}`))).toBe(true);
  }
  for (const page of ['/docs', '/docs/getting-started', '/docs/reference', '/docs/errors/insufficient_stock']) {
    const html = await (await fetch(shop.fleet.url + page)).text();
    for (const [, link] of html.matchAll(/(?:src|href)="([^"]+)"/g)) {
      expect([link, (await fetch(`${shop.fleet.url}${link}`)).status]).toEqual([link, 200]);
    }
    if (page === '/docs/getting-started') expect(html).toContain(`API=${shop.fleet.url}\n`.trim());
  }
  for (const service of serviceNames) {
    expect(await (await fetch(`${shop.fleet.url}/health/${service}`)).json()).toMatchObject({ status: 'ok', service });
  }
  for (const hidden of ['/metrics', '/ready', '/nothing']) {
    const response = await fetch(shop.fleet.url + hidden);
    expect([response.status, response.headers.get('content-type')]).toEqual([404, 'application/problem+json']);
    const { type } = (await response.json()) as { type: string };
    expect(await (await fetch(new URL(type, response.url))).text()).toContain('<code>not_found</code>');
  }
});
