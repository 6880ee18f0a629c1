import { assertOwnerOrAdmin, type Caller } from '@shop/core/auth';
import { notFound } from '@shop/core/errors';
import type { ProductContext } from '../service';
import { findProduct, type OwnedProduct } from './products.sql';

/** For the owner of its store or an admin. */
export async function getProduct(ctx: Pick<ProductContext, 'db'>, caller: Caller, id: number): Promise<OwnedProduct> {
  const product = await getCatalogProduct(ctx, id);
  assertOwnerOrAdmin(caller, product.ownerId);
  return product;
}

/** For everyone. */
export async function getCatalogProduct({ db }: Pick<ProductContext, 'db'>, id: number): Promise<OwnedProduct> {
  const product = await findProduct(db, id);
  if (!product) throw notFound();
  return product;
}
