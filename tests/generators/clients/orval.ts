import { createProduct, register } from '../generated/orval/shop';
import { newAccount, newProduct, report } from './seller';

const registered = await register(newAccount());
if (registered.status !== 201 || !('token' in registered.data)) throw new Error(JSON.stringify(registered.data));
const headers = { Authorization: `Bearer ${registered.data.token}` };

const created = await createProduct(newProduct, { headers });
if (created.status !== 201) throw new Error(created.data.code);
report(created.data);
