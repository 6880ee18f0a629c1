import { createApiClient } from '../generated/openapi-zod-client/shop';
import { newAccount, newProduct, readImage, report, shopUrl } from './seller';

const shop = createApiClient(shopUrl);

const tokens = await shop.register(newAccount());
if (!('token' in tokens)) throw new Error('no token');
const headers = { Authorization: `Bearer ${tokens.token}` };

const product = await shop.createProduct(newProduct, { headers });
report(await shop.setProductImage({ image: await readImage() }, { headers, params: { id: product.id } }));
