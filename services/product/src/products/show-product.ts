import { assertOwnerOrAdmin, type Caller, notFound } from '@shop/core';
import type { OwnedProduct, ProductRepository } from './product.repository';

interface Parts {
  products: Pick<ProductRepository, 'findById'>;
}

/** @throws AppError `not_found`, `forbidden` */
export const showProduct =
  ({ products }: Parts) =>
  async (caller: Caller, id: number): Promise<OwnedProduct> => {
    const found = await products.findById(id);
    if (!found) throw notFound();
    assertOwnerOrAdmin(caller, found.ownerId);
    return found;
  };
