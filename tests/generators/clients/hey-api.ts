import { client } from '../generated/hey-api/client.gen';
import { createProduct, register, setProductImage } from '../generated/hey-api/sdk.gen';
import { newAccount, newProduct, readImage, report, shopUrl } from './seller';

let token: string | undefined;
client.setConfig({ baseUrl: shopUrl, auth: () => token });

const { data: tokens } = await register({ body: newAccount(), throwOnError: true });
if (!('token' in tokens)) throw new Error('no token');
token = tokens.token;

const { data: product } = await createProduct({ body: newProduct, throwOnError: true });
const image = await readImage();
const { data: withImage } = await setProductImage({ path: { id: product.id }, body: { image }, throwOnError: true });
report(withImage);
