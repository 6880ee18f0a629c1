import { forbidden, notFound, storageUnavailable } from '@shop/core/errors';
import { created, type Endpoint, endpoint, idParams, listEndpoint, noFields, ok } from '@shop/core/http';
import { imageKinds, MAX_FILE_BYTES } from '@shop/core/storage';
import { insufficientStock } from '@shop/shop';
import type { ProductContext } from '../service';
import { addProduct } from './add-product';
import { adjustStock } from './adjust-stock';
import { listRule, productRule } from './cache-rules';
import { removeImage, replaceImage } from './change-image';
import { changeProduct } from './change-product';
import { deleteProduct } from './delete-product';
import { getProduct } from './get-product';
import { categoryNotFound, noStore, stockTooLarge, storeNotFound } from './products.errors';
import {
  newProduct,
  newProductForm,
  product,
  productChanges,
  productQuery,
  stockChange,
  stockLevel,
} from './products.schemas';
import { listProducts } from './products.sql';

const PATH = '/api/v1/products';
const tag = { name: 'products', description: 'The products of your own stores, as sellers manage them.' };

const image = { field: 'image', maxBytes: MAX_FILE_BYTES, kinds: imageKinds };

export const productEndpoints = (ctx: ProductContext): Endpoint[] => [
  endpoint({
    method: 'post',
    path: PATH,
    operationId: 'createProduct',
    tag,
    summary: 'Add a product to a store, optionally with an image',
    description: 'The image is a JPEG, PNG, GIF or WebP file of at most 5 MiB.',
    access: 'user',
    idempotent: true,
    body: newProduct,
    form: newProductForm,
    upload: { ...image, required: false, storage: ctx.storage },
    responses: { 201: product },
    errors: [forbidden, noStore, storeNotFound, categoryNotFound, storageUnavailable],
    handler: async ({ caller, body, file, attempt }) => {
      const added = await addProduct(ctx, caller, body, file, attempt);
      return created(`${PATH}/${added.id}`, added);
    },
  }),

  listEndpoint({
    path: PATH,
    operationId: 'listProducts',
    tag,
    summary: 'List the products of your stores; an admin gets all products',
    access: 'user',
    query: productQuery,
    item: product,
    cache: ({ caller, query }) => listRule(caller, query),
    list: async ({ caller, query }) => {
      const owner = caller.role === 'admin' ? undefined : caller.id;
      return await listProducts(ctx.db, owner, query);
    },
  }),

  endpoint({
    method: 'get',
    path: `${PATH}/:id`,
    operationId: 'getProduct',
    tag,
    summary: 'Get a product (owner of its store or admin)',
    access: 'user',
    params: idParams,
    responses: { 200: product },
    errors: [forbidden, notFound],
    cache: ({ caller, params }) => productRule(caller, params.id),
    handler: async ({ caller, params }) => ok(await getProduct(ctx, caller, params.id)),
  }),

  endpoint({
    method: 'put',
    path: `${PATH}/:id`,
    operationId: 'updateProduct',
    tag,
    summary: 'Update the given fields of a product',
    access: 'user',
    params: idParams,
    body: productChanges,
    responses: { 204: 'empty' },
    ifMatch: product,
    errors: [forbidden, notFound, categoryNotFound],
    handler: async ({ caller, params, body, ifMatch }) => await changeProduct(ctx, caller, params.id, body, ifMatch),
  }),

  endpoint({
    method: 'delete',
    path: `${PATH}/:id`,
    operationId: 'deleteProduct',
    tag,
    summary: 'Delete a product and its image',
    description: 'Past transactions keep their logs.',
    access: 'user',
    params: idParams,
    responses: { 204: 'empty' },
    ifMatch: product,
    errors: [forbidden, notFound],
    handler: async ({ caller, params, ifMatch }) => await deleteProduct(ctx, caller, params.id, ifMatch),
  }),

  endpoint({
    method: 'put',
    path: `${PATH}/:id/image`,
    operationId: 'setProductImage',
    tag,
    summary: 'Set the image of a product',
    description: 'A JPEG, PNG, GIF or WebP file of at most 5 MiB. It replaces the image that the product has.',
    access: 'user',
    params: idParams,
    body: noFields,
    form: noFields,
    upload: { ...image, required: true, storage: ctx.storage },
    responses: { 200: product },
    ifMatch: product,
    errors: [forbidden, notFound, storageUnavailable],
    handler: async ({ caller, params, file, ifMatch }) => ok(await replaceImage(ctx, caller, params.id, file, ifMatch)),
  }),

  endpoint({
    method: 'delete',
    path: `${PATH}/:id/image`,
    operationId: 'removeProductImage',
    tag,
    summary: 'Remove the image of a product, if it has one',
    access: 'user',
    params: idParams,
    responses: { 204: 'empty' },
    ifMatch: product,
    errors: [forbidden, notFound],
    handler: async ({ caller, params, ifMatch }) => await removeImage(ctx, caller, params.id, ifMatch),
  }),

  endpoint({
    method: 'post',
    path: `${PATH}/:id/stock`,
    operationId: 'changeProductStock',
    tag,
    summary: 'Add to the stock of a product, or take from it',
    description:
      'Changes the stock as it is at this moment, also while orders are placed. Updating `stock` overwrites it.',
    access: 'user',
    idempotent: true,
    params: idParams,
    body: stockChange,
    responses: { 200: stockLevel },
    errors: [forbidden, notFound, insufficientStock, stockTooLarge],
    handler: async ({ caller, params, body, attempt }) => ok(await adjustStock(ctx, caller, params.id, body, attempt)),
  }),
];
