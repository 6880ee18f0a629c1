import type { z } from 'zod';
import type { Caller } from '../auth';
import type { CacheRule } from '../cache';
import { type List, MAX_TOTAL, type Page } from '../db';
import { type ErrorDefinition, pageTooDeep } from '../errors';
import { decodeCursor, encodeCursor } from './cursor';
import { type Access, type AnyInput, type Endpoint, endpoint, type Tag } from './endpoint';
import { failWith, listOf, type pageQuery } from './schemas';

type ListSchema = z.ZodObject<typeof pageQuery & z.ZodRawShape>;

/** The query of a list request, with the cursor decoded. Equal requests have equal JSON. */
export type ListQuery<Q extends ListSchema> = Omit<z.output<Q>, 'page' | 'cursor'> & Page;

interface ListInput<A extends Access, Q extends ListSchema> {
  caller: A extends 'public' ? Caller | undefined : Caller;
  query: ListQuery<Q>;
}

interface ListSpec<A extends Access, Q extends ListSchema, T extends z.ZodType> {
  path: string;
  operationId?: string;
  tag: Tag;
  summary: string;
  description?: string;
  access: A;
  /** `pageQuery`, the list's filters and, if it can be sorted, `sort: sortBy(…)`. */
  query: Q;
  item: T;
  errors?: readonly ErrorDefinition[];
  cache?: (input: ListInput<A, Q>) => CacheRule;
  list: (input: ListInput<A, Q>) => Promise<List<z.input<T>>>;
}

/**
 * Declares a list: a GET with pages by number and by cursor, and a `Link` header. See docs/decisions/0019-lists.md.
 *
 * @example
 * listEndpoint({
 *   path: '/api/v1/stores',
 *   tag: { name: 'stores', description: 'Stores and their owners.' },
 *   summary: 'List your stores',
 *   access: 'user',
 *   query: z.object({ ...pageQuery, search: searchText.optional() }),
 *   item: store,
 *   list: async ({ caller, query }) => await listStores(ctx.db, caller.id, query),
 * });
 */
export function listEndpoint<A extends Access, Q extends ListSchema, T extends z.ZodType>(
  spec: ListSpec<A, Q, T>,
): Endpoint {
  const { access, query: querySchema, item, errors = [], cache, list, ...described } = spec;
  const toInput = (input: AnyInput) => ({
    caller: input.caller as Caller,
    query: listQuery(spec, input) as ListQuery<Q>,
  });
  return endpoint({
    ...described,
    method: 'get',
    access: access as Access,
    query: querySchema.refine(({ page, cursor }) => page === undefined || cursor === undefined, {
      ...failWith('invalid_value', 'must be absent if there is a cursor'),
      path: ['page'],
      // Only if each is right by itself.
      when: ({ issues }) => !issues.some(({ path: [name] = [] }) => name === 'page' || name === 'cursor'),
    }) as z.ZodType,
    responses: { 200: listOf(item) as z.ZodType },
    hasLinks: true,
    errors: [pageTooDeep, ...errors],
    ...(cache ? { cache: (input: AnyInput) => cache(toInput(input)) } : {}),
    async handler(input: AnyInput) {
      const { caller, query } = toInput(input);
      const { rows, total, next } = await list({ caller, query });
      const nextCursor = next ? encodeCursor(next, bindingOf(spec, input.caller, query)) : null;
      const { page, limit } = query;
      const place = page === undefined ? { limit } : { page, limit, ...countUpTo(MAX_TOTAL, total ?? 0) };
      return {
        status: 200 as const,
        body: { data: rows, pagination: { ...place, next_cursor: nextCursor } },
        headers: { Link: linkHeader(spec, input.sentQuery, page, nextCursor) },
      };
    },
  });
}

const countUpTo = (max: number, total: number) =>
  total > max ? { total: max, total_capped: true as const } : { total };

type AnyListSpec = Pick<ListSpec<Access, ListSchema, z.ZodType>, 'path' | 'access' | 'query'>;

/**
 * @throws AppError `invalid_request` if the cursor belongs to another list or user
 * @throws AppError `page_too_deep`
 */
function listQuery(spec: AnyListSpec, { caller, query }: AnyInput): Page {
  const { page = 1, cursor, ...rest } = query as unknown as z.output<z.ZodObject<typeof pageQuery>>;
  if (cursor !== undefined) return { ...rest, after: decodeCursor(cursor, bindingOf(spec, caller, rest)) };
  if ((page - 1) * rest.limit >= MAX_TOTAL) throw pageTooDeep();
  return { ...rest, page };
}

/** What a cursor belongs to. A public list is the same for everyone. The role decides what a list shows. */
function bindingOf({ path, access }: AnyListSpec, caller: Caller | undefined, query: object): string {
  const { page, after, limit, ...filters }: Partial<Page> = query;
  const viewer = access === 'public' ? null : [caller?.id, caller?.role];
  return queryJson({ path, viewer, filters });
}

/** The query as text, for keys: equal queries give equal texts. */
export const queryJson = (query: object): string =>
  JSON.stringify(query, (_, value: unknown) => (typeof value === 'bigint' ? `${value}` : value));

/**
 * Some clients and proxies accept at most 16 KB of response headers. Only a search for hundreds of non-Latin characters
 * exceeds this. The last links are left out then.
 */
const MAX_LINK_LENGTH = 12_000;

/** @param page undefined for a cursor page */
function linkHeader(
  { path, query }: AnyListSpec,
  sent: Record<string, unknown>,
  page: number | undefined,
  nextCursor: string | null,
): string {
  const known = Object.entries(sent).filter(([name]) => name in query.shape && name !== 'page' && name !== 'cursor');
  const link = (relation: string, name: string, value: string) =>
    `<${path}?${new URLSearchParams([...(known as [string, string][]), [name, value]])}>; rel="${relation}"`;
  const links = [
    ...(nextCursor === null ? [] : [link('next', 'cursor', nextCursor)]),
    ...(page === undefined || page === 1 ? [] : [link('prev', 'page', String(page - 1))]),
    link('first', 'page', '1'),
  ];
  while (links.join(', ').length > MAX_LINK_LENGTH) links.pop();
  return links.join(', ');
}
