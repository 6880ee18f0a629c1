import { assertOwnerOrAdmin, type Caller } from '@shop/core/auth';
import type { Sql } from '@shop/core/db';
import { notFound } from '@shop/core/errors';
import type { UploadedFile } from '@shop/core/storage';
import { newStoredName, productScopes, writeWithFile } from '@shop/shop';
import type { ProductContext } from '../service';
import { getProduct } from './get-product';
import { findProduct, lockProduct, type OwnedProduct, updateImage } from './products.sql';

/** Replaces the image, if there is one. The old file is deleted last. */
export async function replaceImage(
  ctx: ProductContext,
  caller: Caller,
  id: number,
  file: UploadedFile,
): Promise<OwnedProduct> {
  await getProduct(ctx, caller, id);
  const name = newStoredName(caller.id, file.kind);
  const change = await writeWithFile(ctx, { name, file }, undefined, async function replaceInTransaction(sql) {
    return await setImage(sql, caller, id, name);
  });
  return await finish(ctx, change);
}

/** Does nothing if there is no image. */
export async function removeImage(ctx: ProductContext, caller: Caller, id: number): Promise<void> {
  const change = await ctx.db.transaction(async function removeInTransaction(sql) {
    return await setImage(sql, caller, id, null);
  });
  await finish(ctx, change);
}

interface ImageChange {
  changed: OwnedProduct;
  /** The stored name of the image before. */
  before: string | null;
}

/** Reads the old name on the locked row: of several changes at once, each deletes the file of the one before. */
async function setImage(sql: Sql, caller: Caller, id: number, image: string | null): Promise<ImageChange> {
  const locked = await lockProduct(sql, id);
  if (!locked) throw notFound();
  assertOwnerOrAdmin(caller, locked.ownerId);
  await updateImage(sql, id, image);
  const changed = await findProduct(sql, id);
  if (!changed) throw notFound();
  return { changed, before: locked.image };
}

async function finish(ctx: ProductContext, { changed, before }: ImageChange): Promise<OwnedProduct> {
  const { id, store_id: storeId, ownerId } = changed;
  await ctx.cache.invalidate(productScopes({ productIds: [id], storeId, ownerId }));
  if (before) await ctx.storage.discard([before]);
  return changed;
}
