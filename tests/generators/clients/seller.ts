import { randomInt, randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';

/** What every client of this folder sends: as the document's examples, with an account of its own. */
export const newAccount = () => ({
  name: 'Ada Lovelace',
  email: `ada-${randomUUID()}@example.com`,
  phone: `+${randomInt(1e10, 1e11)}`,
  password: 'correct horse battery',
});

export const newProduct = { name: 'Blue mug', price: 19.99, description: 'Holds 300 ml', stock: 10 };

export const [shopUrl = '', imagePath = ''] = process.argv.slice(2);

export const readImage = async (): Promise<File> =>
  new File([await readFile(imagePath)], 'mug.png', { type: 'image/png' });

/** Prints what the test compares. */
export function report(product: unknown): void {
  console.log(JSON.stringify(product));
}
