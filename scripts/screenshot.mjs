// screenshot.mjs URL
//
// Makes the pictures in docs/ of the running shop at URL: the reference with a product of the catalog (api.png, in the README),
// the home of the API (docs-home.png) and the page of an error code (error-page.png).
// Needs an installed Chrome or Chromium (CHROME=/path/to/it if it is not found), and a product:
//   API=$(./run-services.sh url), the calls of docs/api/getting-started.md, then: node scripts/screenshot.mjs "$API"
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

const [url] = process.argv.slice(2);
const installed = [
  '/usr/bin/google-chrome',
  '/usr/bin/chromium',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];
const executablePath = process.env.CHROME ?? installed.find((file) => existsSync(file));
if (!url || !executablePath) {
  console.error(url ? 'found no Chrome or Chromium: set CHROME to its path' : 'usage: node scripts/screenshot.mjs URL');
  process.exit(2);
}

const browser = await chromium.launch({
  executablePath,
  // Chrome's sandbox does not work as root.
  chromiumSandbox: process.getuid?.() !== 0,
});
try {
  const found = await fetch(`${url}/api/v1/catalog/products?limit=1`);
  const [product] = (await found.json()).data;
  const page = await browser.newPage({ viewport: { width: 1200, height: 1080 } });
  await page.goto(`${url}/docs/reference#/catalog/getCatalogProduct`);
  const operation = page.locator('#operations-catalog-getCatalogProduct');
  await operation.getByPlaceholder('id').fill(String(product.id));
  await operation.getByRole('button', { name: 'Execute' }).click();
  await operation.locator('.live-responses-table').getByText('image_url').waitFor();
  await page.locator('#operations-tag-catalog').evaluate((heading) => heading.scrollIntoView());
  await save(page, 'api.png');

  await page.goto(`${url}/docs`);
  await save(page, 'docs-home.png');

  const dark = await browser.newPage({ viewport: { width: 780, height: 1080 }, colorScheme: 'dark' });
  await dark.goto(`${url}/docs/errors/insufficient_stock`);
  await save(dark, 'error-page.png');
} finally {
  await browser.close();
}

async function save(page, name) {
  const path = fileURLToPath(new URL(`../docs/${name}`, import.meta.url));
  await page.screenshot({ path });
  console.log(path);
}
