import type { CatalogProduct } from '@shop/client';
import { useState } from 'preact/hooks';
import { announce } from '../announce.tsx';
import { loadCategories, shop } from '../api.ts';
import { addToBasket } from '../basket.ts';
import { goTo, linkTo } from '../router.ts';
import { useAction, useLoad } from '../state.ts';
import { plural, price } from '../text.ts';
import { ActionButton, Empty, Field, fieldsOf, PageTitle, Problem, ProductImage, Select, Skeleton } from '../ui.tsx';

const SORTS = {
  '-created_at': 'Newest',
  price: 'Price: low to high',
  '-price': 'Price: high to low',
  name: 'Name',
} as const;
type Sort = keyof typeof SORTS;
const isSort = (text: string | null): text is Sort => text !== null && text in SORTS;
const PAGE = 24;

const numberIn = (text: string | null): number | undefined =>
  text && Number.isFinite(Number(text)) ? Number(text) : undefined;

function filtersIn(query: URLSearchParams) {
  const sort = query.get('sort');
  return {
    search: query.get('search') || undefined,
    category_id: numberIn(query.get('category')),
    store_id: numberIn(query.get('store')),
    min_price: numberIn(query.get('min')),
    max_price: numberIn(query.get('max')),
    in_stock: query.get('stock') ? true : undefined,
    sort: isSort(sort) && sort !== '-created_at' ? sort : undefined,
  };
}

interface Page {
  products: readonly CatalogProduct[];
  total: number;
  isTotalCapped: boolean;
  next: string | null;
}

export function Browse({ query }: { query: URLSearchParams }) {
  const key = query.toString();
  const filters = filtersIn(query);
  const categories = useLoad('categories', loadCategories);
  const page = useLoad<Page>(key, async (signal) => {
    const { data, pagination } = await shop.get('/api/v1/catalog/products', {
      query: { ...filters, limit: PAGE },
      signal,
    });
    return {
      products: data,
      total: pagination.total ?? data.length,
      isTotalCapped: pagination.total_capped ?? false,
      next: pagination.next_cursor,
    };
  });
  const more = useAction(async () => {
    const before = page.data;
    if (!before?.next) return;
    const { data, pagination } = await shop.get('/api/v1/catalog/products', {
      query: { ...filters, limit: PAGE, cursor: before.next },
    });
    page.replace({ ...before, products: [...before.products, ...data], next: pagination.next_cursor });
    announce(`${plural(data.length, 'more product')}`);
  });

  const isFiltered = Object.values({ ...filters, sort: undefined }).some((value) => value !== undefined);
  const category = categories.data?.find(({ id }) => id === filters.category_id);
  const storeName = filters.store_id && page.data?.products[0]?.store.name;
  const title = filters.search ? `Results for “${filters.search}”` : (category?.name ?? (storeName || 'All products'));
  const change = (changes: Record<string, string | undefined>) =>
    goTo(linkTo('/', { ...Object.fromEntries(query), ...changes }));

  return (
    <>
      {!isFiltered && (
        <section class="hero">
          <p class="hero-title">Good things from small stores.</p>
          <p>Every store packs and ships what it sells. One basket for all of them.</p>
        </section>
      )}
      <div class="browse">
        <Filters query={query} categories={categories.data ?? []} onChange={change} />
        <section aria-busy={page.isLoading}>
          <div class="toolbar">
            <PageTitle title={title} />
            <p class="count" role="status">
              {page.data && `${plural(page.data.total, 'product')}${page.data.isTotalCapped ? ' or more' : ''}`}
            </p>
            <Select
              label="Sort by"
              value={filters.sort ?? '-created_at'}
              onChange={({ currentTarget: { value } }) => change({ sort: value === '-created_at' ? undefined : value })}
            >
              {Object.entries(SORTS).map(([value, label]) => (
                <option value={value} key={value}>
                  {label}
                </option>
              ))}
            </Select>
          </div>
          <Problem error={page.error} retry={page.reload} />
          {!page.data && page.isLoading && <Skeleton count={8} kind="card" />}
          {page.data?.products.length === 0 && !page.isLoading && (
            <Empty title={isFiltered ? 'Nothing fits these filters' : 'No products yet'}>
              {isFiltered ? (
                <a class="button" href={linkTo('/')}>
                  Show all products
                </a>
              ) : (
                <p>
                  <a href={linkTo('/sell')}>Sell the first one</a>, or fill the shop with examples:{' '}
                  <code>npm run demo</code>
                </p>
              )}
            </Empty>
          )}
          <ul class={`grid ${page.isLoading && page.data ? 'stale' : ''}`}>
            {page.data?.products.map((product, index) => (
              <Card product={product} isFirst={index < 4} key={product.id} />
            ))}
          </ul>
          <Problem error={more.error} />
          {page.data?.next && (
            <p class="more">
              <ActionButton type="button" class="quiet" isRunning={more.isRunning} onClick={more.run}>
                Show more
              </ActionButton>
            </p>
          )}
        </section>
      </div>
    </>
  );
}

function Card({ product, isFirst }: { product: CatalogProduct; isFirst: boolean }) {
  const isSoldOut = product.stock === 0;
  return (
    <li class="card">
      <ProductImage product={product} isLarge={isFirst} />
      {isSoldOut && <span class="badge">Sold out</span>}
      <h2>
        <a href={linkTo(`/products/${product.id}`)}>{product.name}</a>
      </h2>
      <p class="store">{product.store.name}</p>
      <p class="price">{price(product.price)}</p>
      {!isSoldOut && (
        <button
          type="button"
          class="add"
          aria-label={`Add ${product.name} to basket`}
          title="Add to basket"
          onClick={() => {
            addToBasket(product.id);
            announce(`${product.name} is in your basket`, linkTo('/basket'), 'Open basket');
          }}
        >
          <svg viewBox="0 0 20 20" aria-hidden="true">
            <path d="M10 4v12M4 10h12" />
          </svg>
        </button>
      )}
    </li>
  );
}

function Filters({
  query,
  categories,
  onChange,
}: {
  query: URLSearchParams;
  categories: readonly { id: number; name: string }[];
  onChange: (changes: Record<string, string | undefined>) => void;
}) {
  const chosen = query.get('category') ?? '';
  const [isOpen, setOpen] = useState(false);
  const count = ['category', 'min', 'max', 'stock', 'store'].filter((name) => query.get(name)).length;
  return (
    <aside class={`filters ${isOpen ? 'open' : ''}`} aria-label="Filters">
      <button type="button" class="quiet filter-toggle" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
        Filters{count > 0 ? ` (${count})` : ''}
      </button>
      <div class="filter-body">
        <nav aria-label="Categories">
          <h2>Category</h2>
          <ul>
            {[{ id: '', name: 'All products' }, ...categories].map(({ id, name }) => (
              <li key={id}>
                <a
                  href={linkTo('/', { ...Object.fromEntries(query), category: String(id) })}
                  aria-current={String(id) === chosen ? 'true' : undefined}
                >
                  {name}
                </a>
              </li>
            ))}
          </ul>
        </nav>
        <form
          key={`${query.get('min')} ${query.get('max')}`}
          onSubmit={(event) => {
            event.preventDefault();
            const { min, max } = fieldsOf(event.currentTarget);
            onChange({ min, max });
          }}
        >
          <fieldset>
            <legend>Price</legend>
            <div class="range">
              <Field
                label="From"
                name="min"
                type="number"
                required={false}
                min={0}
                step="0.01"
                inputMode="decimal"
                defaultValue={query.get('min') ?? ''}
              />
              <Field
                label="To"
                name="max"
                type="number"
                min={0}
                step="0.01"
                inputMode="decimal"
                defaultValue={query.get('max') ?? ''}
              />
            </div>
            <button type="submit" class="quiet">
              Set price
            </button>
          </fieldset>
        </form>
        <label class="check">
          <input
            type="checkbox"
            checked={query.get('stock') !== null}
            onChange={({ currentTarget: { checked } }) => onChange({ stock: checked ? 'yes' : undefined })}
          />
          Only what is in stock
        </label>
        {count > 0 && (
          <a class="clear" href={linkTo('/', { search: query.get('search') ?? '', sort: query.get('sort') ?? '' })}>
            Remove all filters
          </a>
        )}
      </div>
    </aside>
  );
}
