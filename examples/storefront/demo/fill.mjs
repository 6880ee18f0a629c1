// fill.mjs [URL]
//
// Fills a running shop with stores and products to look at, through the client. Default: the shop that ./run-services.sh runs. Safe
// to run again: it adds what is missing.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { createClient, isApiError } from '@shop/client';

const [baseUrl = runningShop()] = process.argv.slice(2);
const password = 'demo shop demo';

/** Store, its owner's phone number, and products: drawing, name, price, stock, category, description. */
const stores = [
  [
    'Kiln & Clay',
    '+4930550001',
    [
      [
        'mug',
        'Stoneware mug',
        18.5,
        24,
        'Home',
        'Thrown by hand and glazed in two colours. Holds 300 ml, and survives the dishwasher.',
      ],
      ['bowl', 'Breakfast bowl', 24, 9, 'Home', 'Deep enough for porridge, wide enough for fruit.'],
      ['vase', 'Bud vase', 32, 3, 'Home', 'For the three flowers that you found on the way home.'],
      ['teapot', 'Teapot for two', 64, 6, 'Home', 'Pours without dripping. We have tested this for eleven years.'],
    ],
  ],
  [
    'Northlight',
    '+4930550002',
    [
      [
        'lamp',
        'Reading lamp',
        89,
        12,
        'Electronics',
        'Warm light on the page and none in the eyes of the person beside you.',
      ],
      ['clock', 'Oak wall clock', 54, 8, 'Home', 'A silent movement in a frame of oiled oak.'],
      ['candle', 'Beeswax candle', 14.9, 60, 'Home', 'Burns for about 40 hours and smells of summer.'],
    ],
  ],
  [
    'Fern & Fig',
    '+4930550003',
    [
      ['fern', 'Potted fern', 22, 14, 'Home', 'Likes shade, a little water, and being left alone.'],
      ['pot', 'Terracotta pot', 12, 40, 'Home', '16 cm, with a hole and a saucer.'],
      ['can', 'Watering can', 38, 0, 'Home', 'A long spout reaches the plant behind the plant.'],
    ],
  ],
  [
    'Paper Moon',
    '+4930550004',
    [
      ['notebook', 'Dotted notebook', 9.8, 120, 'Books', '192 pages that lie flat and do not mind ink.'],
      ['birds', 'Birds of the town', 27, 17, 'Books', 'A field guide for people who look out of the window.'],
      ['map', 'Map of the coast', 35, 5, 'Books', 'Printed in four colours on heavy paper, folded by hand.'],
    ],
  ],
  [
    'Loom',
    '+4930550005',
    [
      ['tote', 'Linen tote bag', 19, 30, 'Clothing', 'Carries a week of groceries and folds into a pocket.'],
      ['throw', 'Wool throw', 120, 4, 'Home', '130 by 180 cm, woven from the wool of 40 known sheep.'],
      ['beanie', 'Knitted beanie', 29, 22, 'Clothing', 'Lambswool. One size, which fits.'],
    ],
  ],
  [
    'Early Oven',
    '+4930550006',
    [
      ['loaf', 'Sourdough loaf', 6.5, 16, 'Food', 'Baked at five in the morning. 1 kg.'],
      ['oil', 'Olive oil', 16, 48, 'Food', 'From one grove and one harvest. 500 ml.'],
      ['honey', 'Wildflower honey', 11, 33, 'Food', 'From the meadow behind the bakery. 400 g.'],
    ],
  ],
];

const { data: categories } = await createClient({ baseUrl }).get('/api/v1/categories', { query: { limit: 100 } });
const categoryIds = new Map(categories.map(({ name, id }) => [name, id]));

for (const [store, phone, products] of stores) {
  const seller = createClient({ baseUrl });
  const email = `${store.toLowerCase().replace(/[^a-z]+/g, '-')}@shop.example`;
  try {
    await seller.register({ name: store, email, phone, password });
    const { data: own } = await seller.get('/api/v1/stores');
    await seller.put('/api/v1/stores/{id}', { path: { id: own[0].id }, body: { name: store } });
  } catch (error) {
    if (!isApiError(error, 'email_taken', 'phone_taken')) throw error;
    await seller.logIn({ email, password });
  }
  const there = new Set();
  for await (const { name } of seller.list('/api/v1/products')) there.add(name);
  const missing = products.filter(([, name]) => !there.has(name));
  for (const [drawing, name, price, stock, category, description] of missing) {
    const category_id = categoryIds.get(category) ?? null;
    const body = { name, price, stock, description, category_id };
    const { id } = await seller.post('/api/v1/products', { body });
    const file = readFileSync(new URL(`images/${drawing}.webp`, import.meta.url));
    const image = new File([file], `${drawing}.webp`, { type: 'image/webp' });
    await seller.put('/api/v1/products/{id}/image', { path: { id }, body: { image } });
  }
  console.log(`${store}: ${missing.length} products added; log in as ${email}, password "${password}"`);
}
console.log(`open ${baseUrl}/`);

function runningShop() {
  const script = fileURLToPath(new URL('../../../run-services.sh', import.meta.url));
  return execFileSync(script, ['url'], { encoding: 'utf8' }).trim();
}
