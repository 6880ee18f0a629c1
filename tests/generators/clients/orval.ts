import { createProduct, register, setProductImage } from '../generated/orval/shop';
import { newAccount, newProduct, readImage, report } from './seller';

const registered = await register(newAccount());
if (registered.status !== 201 || !('token' in registered.data)) throw new Error(JSON.stringify(registered.data));
const headers = { Authorization: `Bearer ${registered.data.token}` };

const created = await createProduct(newProduct, { headers });
if (created.status !== 201) throw new Error(created.data.code);
const withImage = await setProductImage(created.data.id, { image: await readImage() }, { headers });
if (withImage.status !== 200) throw new Error(withImage.data.code);
report(withImage.data);
