import {
  created,
  type Endpoint,
  endpoint,
  forbidden,
  idParams,
  imageKinds,
  listAnswer,
  listOf,
  MAX_FILE_BYTES,
  noContent,
  notFound,
  ok,
  type Storage,
  storageUnavailable,
} from '@shop/core';
import type { addProduct } from './add-product';
import type { deleteProduct } from './delete-product';
import type { listProducts } from './list-products';
import { categoryNotFound, noStore, storeNotFound } from './product.errors';
import { newProduct, newProductForm, product, productChanges, productQuery } from './product.schemas';
import { listRule, productRule } from './product-cache';
import type { showProduct } from './show-product';
import type { updateProduct } from './update-product';

export interface ProductUseCases {
  addProduct: ReturnType<typeof addProduct>;
  listProducts: ReturnType<typeof listProducts>;
  showProduct: ReturnType<typeof showProduct>;
  updateProduct: ReturnType<typeof updateProduct>;
  deleteProduct: ReturnType<typeof deleteProduct>;
}

const PATH = '/api/v1/products';
const tag = 'products';

export const productEndpoints = (useCases: ProductUseCases, storage: Pick<Storage, 'receive'>): Endpoint[] => [
  endpoint({
    method: 'post',
    path: PATH,
    tag,
    summary: 'Add a product to a store, with an image or without',
    description: 'As JSON, or as multipart/form-data with a JPEG, PNG, GIF or WebP file of at most 5 MiB.',
    access: 'user',
    body: newProduct,
    form: newProductForm,
    upload: { field: 'image', required: false, maxBytes: MAX_FILE_BYTES, kinds: imageKinds, storage },
    answers: { 201: product },
    errors: [forbidden, noStore, storeNotFound, categoryNotFound, storageUnavailable],
    handler: async ({ caller, body, file }) => {
      const added = await useCases.addProduct(caller, body, file);
      return created(`${PATH}/${added.id}`, added);
    },
  }),

  endpoint({
    method: 'get',
    path: PATH,
    tag,
    summary: "List the products of one's own stores; for an admin, all",
    access: 'user',
    query: productQuery,
    answers: { 200: listOf(product) },
    cache: ({ caller, query }) => listRule(caller, query),
    handler: async ({ caller, query }) => ok(listAnswer(await useCases.listProducts(caller, query), query)),
  }),

  endpoint({
    method: 'get',
    path: `${PATH}/:id`,
    tag,
    summary: 'Show a product to the owner of its store or an admin',
    access: 'user',
    params: idParams,
    answers: { 200: product },
    errors: [forbidden, notFound],
    cache: ({ caller, params }) => productRule(caller, params.id),
    handler: async ({ caller, params }) => ok((await useCases.showProduct(caller, params.id)).product),
  }),

  endpoint({
    method: 'put',
    path: `${PATH}/:id`,
    tag,
    summary: 'Change a product',
    access: 'user',
    params: idParams,
    body: productChanges,
    answers: { 204: 'empty' },
    errors: [forbidden, notFound, categoryNotFound],
    handler: async ({ caller, params, body }) => {
      await useCases.updateProduct(caller, params.id, body);
      return noContent();
    },
  }),

  endpoint({
    method: 'delete',
    path: `${PATH}/:id`,
    tag,
    summary: 'Delete a product and its image',
    description: 'Past transactions keep their logs.',
    access: 'user',
    params: idParams,
    answers: { 204: 'empty' },
    errors: [forbidden, notFound],
    handler: async ({ caller, params }) => {
      await useCases.deleteProduct(caller, params.id);
      return noContent();
    },
  }),
];
