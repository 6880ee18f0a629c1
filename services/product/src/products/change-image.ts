import { assertOwnerOrAdmin, type Caller } from '@shop/core/auth';
import { invalidateIfChanged } from '@shop/core/cache';
import type { Sql } from '@shop/core/db';
import { notFound } from '@shop/core/errors';
import { assertUnchanged, type IfMatch } from '@shop/core/preconditions';
import type { UploadedFile } from '@shop/core/storage';
import { newStoredName, productScopes, writeWithFile } from '@shop/shop';
import type { ProductContext } from '../service';
import { getProduct } from './get-product';
import type { Product } from './products.schemas';
import { findProduct, lockProduct, type OwnedProduct, updateImage } from './products.sql';

/** Replaces the image, if there is one. The old file is deleted last. */
export async function replaceImage(
  ctx: ProductContext,
  caller: Caller,
  id: number,
  file: UploadedFile,
  ifMatch: IfMatch<Product>,
): Promise<OwnedProduct> {
  return await changeImage(ctx, caller, id, async function storeAndReplace() {
    const name = newStoredName(caller.id, file.kind);
    return await writeWithFile(ctx, { name, file }, undefined, async function replaceInTransaction(sql) {
      return await setImage(sql, caller, id, name, ifMatch);
    });
  });
}

/** Does nothing if there is no image. */
export async function removeImage(
  ctx: ProductContext,
  caller: Caller,
  id: number,
  ifMatch: IfMatch<Product>,
): Promise<void> {
  await changeImage(ctx, caller, id, async function remove() {
    return await ctx.db.transaction(async function removeInTransaction(sql) {
      return await setImage(sql, caller, id, null, ifMatch);
    });
  });
}

interface ImageChange {
  changed: OwnedProduct;
  /** The stored name of the image before. */
  before: string | null;
}

async function changeImage(
  ctx: ProductContext,
  caller: Caller,
  id: number,
  write: () => Promise<ImageChange>,
): Promise<OwnedProduct> {
  const { store_id: storeId, ownerId } = await getProduct(ctx, caller, id);
  const scopes = productScopes({ productIds: [id], storeId, ownerId });
  const { changed, before } = await invalidateIfChanged(ctx.cache, scopes, write);
  await ctx.cache.invalidate(scopes);
  if (before) await ctx.storage.discard([before]);
  return changed;
}

/** Reads the old name on the locked row: of several changes at once, each deletes the file of the one before. */
async function setImage(
  sql: Sql,
  caller: Caller,
  id: number,
  image: string | null,
  ifMatch: IfMatch<Product>,
): Promise<ImageChange> {
  const locked = await lockProduct(sql, id);
  if (!locked) throw notFound();
  assertOwnerOrAdmin(caller, locked.ownerId);
  await assertUnchanged(sql, ifMatch, { table: 'products', id, find: findProduct });
  await updateImage(sql, id, image);
  const changed = await findProduct(sql, id);
  if (!changed) throw notFound();
  return { changed, before: locked.image };
}
