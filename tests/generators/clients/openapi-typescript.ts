import createClient from 'openapi-fetch';
import type { paths } from '../generated/openapi-typescript/shop';
import { newAccount, newProduct, readImage, report, shopUrl } from './seller';

const shop = createClient<paths>({ baseUrl: shopUrl });

const { data: tokens, error: refused } = await shop.POST('/api/v1/auth/register', { body: newAccount() });
if (!tokens || !('token' in tokens)) throw new Error(`not registered: ${JSON.stringify(refused)}`);
const headers = { Authorization: `Bearer ${tokens.token}` };

const { data: product, error } = await shop.POST('/api/v1/products', { headers, body: newProduct });
if (!product) throw new Error(error.code);

const form = new FormData();
form.set('image', await readImage());
const { data: withImage, error: refusedImage } = await shop.PUT('/api/v1/products/{id}/image', {
  headers,
  params: { path: { id: product.id } },
  // A file is a string in the document, and in the type.
  body: { image: '' },
  bodySerializer: () => form,
});
if (!withImage) throw new Error(refusedImage.code);
report(withImage);
