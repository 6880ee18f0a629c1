import {
  type AnswerCache,
  assertOwnerOrAdmin,
  type Caller,
  type Logger,
  mayHaveBeenWritten,
  newStoredName,
  productScopes,
  type Storage,
  type UploadedFile,
} from '@shop/core';
import { noStore, storeNotFound } from './product.errors';
import type { InTransaction, ProductRepository } from './product.repository';
import type { NewProduct, Product } from './product.schemas';

interface Parts {
  products: Pick<ProductRepository, 'findStoreOwner' | 'findOldestStore'>;
  inTransaction: InTransaction;
  storage: Pick<Storage, 'put' | 'discard'>;
  cache: Pick<AnswerCache, 'invalidate'>;
  logger: Logger;
}

/**
 * Adds a product to a store. Its image is stored before its row, so that no row points to nothing.
 * @throws AppError `no_store`, `store_not_found`, `category_not_found`, `forbidden`, `storage_unavailable`
 */
export const addProduct = (parts: Parts) => {
  const { inTransaction, storage, cache, logger } = parts;
  return async (
    caller: Caller,
    { store_id, ...values }: NewProduct,
    file: UploadedFile | undefined,
  ): Promise<Product> => {
    const store = await storeFor(parts, caller, store_id);
    const image = file ? newStoredName(caller.id, file.kind) : null;
    if (file && image) await storage.put(image, file);
    const insert = inTransaction(async (transaction) => {
      const id = await transaction.insert(values, store.id, image);
      await transaction.recordStock(id, 'initial', values.stock);
      // Before the commit: the row holds on to its store until then, and afterwards both may go at once.
      const added = await transaction.findById(id);
      if (!added) throw storeNotFound();
      return added.product;
    });
    const added = await insert.catch(async (error) => {
      if (image && mayHaveBeenWritten(error)) logger.warn({ file: image }, 'kept: its product may have been written');
      else if (image) await storage.discard([image]);
      throw error;
    });
    await cache.invalidate(productScopes({ productIds: [added.id], storeId: store.id, ownerId: store.ownerId }));
    return added;
  };
};

async function storeFor(
  { products }: Parts,
  caller: Caller,
  storeId: number | undefined,
): Promise<{ id: number; ownerId: number }> {
  if (storeId === undefined) {
    const oldest = await products.findOldestStore(caller.id);
    if (oldest === undefined) throw noStore();
    return { id: oldest, ownerId: caller.id };
  }
  const ownerId = await products.findStoreOwner(storeId);
  if (ownerId === undefined) throw storeNotFound();
  assertOwnerOrAdmin(caller, ownerId);
  return { id: storeId, ownerId };
}
