// screenshot.mjs URL
//
// Makes the pictures in docs/ of the running shop at URL: the reference with a product of the catalog (api.png, in the README),
// the home of the API (docs-home.png), the page of an error code (error-page.png), and the storefront (shop*.png).
// Needs an installed Chrome or Chromium (CHROME=/path/to/it if it is not found), and products:
//   npm run demo && node scripts/screenshot.mjs "$(./run-services.sh url)"
import { fileURLToPath } from 'node:url';
import { launchBrowser } from './browser.mjs';
import { screenshotStorefront } from './screenshot-storefront.mjs';

const [url] = process.argv.slice(2);
if (!url) {
  console.error('usage: node scripts/screenshot.mjs URL');
  process.exit(2);
}

const browser = await launchBrowser();
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

  await screenshotStorefront(browser, url, save);
} finally {
  await browser.close();
}

async function save(page, name) {
  const path = fileURLToPath(new URL(`../docs/${name}`, import.meta.url));
  await page.screenshot({ path });
  console.log(path);
}
