export { type ClientOptions, createClient, type ShopClient } from './client.ts';
export { ApiError, ConnectionError, isApiError } from './errors.ts';
export type * from './operations.ts';
export type { CallOptions, CodeOf, ItemOf, ListPath, Method, OptionsOf, PathOf, ResponseOf } from './types.ts';
