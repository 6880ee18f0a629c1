import { client } from '../generated/hey-api/client.gen';
import { createProduct, register } from '../generated/hey-api/sdk.gen';
import { newAccount, newProduct, report, shopUrl } from './seller';

let token: string | undefined;
client.setConfig({ baseUrl: shopUrl, auth: () => token });

const { data: tokens } = await register({ body: newAccount(), throwOnError: true });
if (!('token' in tokens)) throw new Error('no token');
token = tokens.token;

const { data: product } = await createProduct({ body: newProduct, throwOnError: true });
report(product);
