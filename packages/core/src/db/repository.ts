import type { Sql } from './sql';

type Methods = Record<string, (...values: unknown[]) => unknown>;

/**
 * A repository whose statements are measured by its methods, as `order.insert`. The names are those in the source: there
 * are as many series as methods.
 * @example export const orderRepository = repository('order', (sql) => ({ insert: (row: NewOrder) => sql.write(…) }))
 */
export function repository<R extends object>(name: string, build: (sql: Sql) => R): (sql: Sql) => R {
  let names: [method: string, query: string][] | undefined;
  return (sql) => {
    const { named } = sql;
    if (!named) return build(sql);
    names ??= Object.keys(build(sql)).map((method) => [method, `${name}.${method}`]);
    const methods: Methods = {};
    for (const [method, query] of names) {
      // Built anew over the named place, because a method that is already built holds on to the unnamed one.
      methods[method] = (...values) => (build(named(query)) as Methods)[method]?.(...values);
    }
    return methods as R;
  };
}
