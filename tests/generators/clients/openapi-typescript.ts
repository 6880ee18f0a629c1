import createClient from 'openapi-fetch';
import type { paths } from '../generated/openapi-typescript/shop';
import { newAccount, newProduct, report, shopUrl } from './seller';

const shop = createClient<paths>({ baseUrl: shopUrl });

const { data: tokens, error: refused } = await shop.POST('/api/v1/auth/register', { body: newAccount() });
if (!tokens || !('token' in tokens)) throw new Error(`not registered: ${JSON.stringify(refused)}`);
const headers = { Authorization: `Bearer ${tokens.token}` };

const { data: product, error } = await shop.POST('/api/v1/products', { headers, body: newProduct });
if (!product) throw new Error(error.code);
report(product);
