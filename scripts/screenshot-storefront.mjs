/** The pictures of the storefront, on a shop that `npm run demo` has filled. */
import { randomInt } from 'node:crypto';

/** @param save stores a picture of the page under that name in docs/ */
export async function screenshotStorefront(browser, url, save) {
  const page = await browser.newPage({ viewport: { width: 1280, height: 960 }, reducedMotion: 'reduce' });
  const open = async (place, text) => {
    await page.goto(`${url}/#${place}`);
    await page.getByText(text).first().waitFor();
    await page.locator('.toast').waitFor({ state: 'detached' });
    await page.waitForLoadState('networkidle');
  };

  await open('/', 'Wildflower honey');
  await save(page, 'shop.png');

  for (const [search, name] of [
    ['mug', 'Stoneware mug'],
    ['fern', 'Potted fern'],
  ]) {
    await open(`/?search=${search}`, name);
    await page.getByRole('button', { name: `Add ${name} to basket` }).click();
  }
  await open('/basket', 'These are 2 orders');
  await page.getByRole('button', { name: 'Sign up' }).click();
  const form = page.getByRole('form', { name: 'Sign up' });
  const number = String(randomInt(1e9, 1e10));
  await form.getByLabel('Name').fill('Ada');
  await form.getByLabel('Email address').fill(`ada.${number}@shop.example`);
  await form.getByLabel('Phone number').fill(`+49${number}`);
  await form.getByLabel('Password').fill('correct horse');
  await form.getByRole('button', { name: 'Sign up' }).click();
  await page.getByLabel('Street and number').fill('Ringstraße 5');
  await page.getByLabel('Postal code').fill('10115');
  await page.getByLabel('City').fill('Berlin');
  await page.getByLabel('Name of this address').fill('Home');
  await page.getByRole('button', { name: 'Save address' }).click();
  await page.getByRole('radio').waitFor();
  await page.waitForLoadState('networkidle');
  await page.setViewportSize({ width: 1280, height: 800 });
  await save(page, 'shop-basket.png');
  await open('/account', 'Customer since');
  await page.getByRole('button', { name: 'Log out' }).click();
  await page.getByRole('link', { name: 'Log in' }).waitFor();

  await open('/sell', 'Log in or sign up');
  await page.getByLabel('Email address').fill('kiln-clay@shop.example');
  await page.getByLabel('Password').fill('demo shop demo');
  await page.getByRole('button', { name: 'Log in' }).click();
  await page.getByRole('link', { name: 'Teapot for two' }).waitFor();
  await page.locator('.toast').waitFor({ state: 'detached' });
  await page.waitForLoadState('networkidle');
  await page.setViewportSize({ width: 1280, height: 600 });
  await save(page, 'shop-sell.png');

  const phone = await browser.newPage({
    viewport: { width: 390, height: 844 },
    colorScheme: 'dark',
    deviceScaleFactor: 2,
  });
  await phone.goto(`${url}/#/?search=lamp`);
  await phone.getByRole('link', { name: 'Reading lamp' }).click();
  await phone.getByRole('heading', { name: 'Reading lamp' }).waitFor();
  await phone.waitForLoadState('networkidle');
  await save(phone, 'shop-phone.png');
}
