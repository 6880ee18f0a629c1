// screenshot.mjs URL
//
// Makes docs/api.png, the picture in the README: the API page of the running shop at URL, with a product of the catalog.
// Needs an installed Chrome or Chromium (CHROME=/path/to/it if it is not found), and a product:
//   API=$(./run-services.sh url), the calls of docs/first-calls.md, then: node scripts/screenshot.mjs "$API"
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
  await page.goto(`${url}/docs#/catalog/getCatalogProductsById`);
  const operation = page.locator('#operations-catalog-getCatalogProductsById');
  await operation.getByRole('button', { name: 'Try it out' }).click();
  await operation.getByPlaceholder('id').fill(String(product.id));
  await operation.getByRole('button', { name: 'Execute' }).click();
  await operation.locator('.live-responses-table').getByText('image_url').waitFor();
  await page.locator('#operations-tag-catalog').evaluate((heading) => heading.scrollIntoView());
  const path = fileURLToPath(new URL('../docs/api.png', import.meta.url));
  await page.screenshot({ path });
  console.log(path);
} finally {
  await browser.close();
}
