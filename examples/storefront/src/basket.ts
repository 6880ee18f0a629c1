import type { CatalogProduct } from '@shop/client';
import { createState } from './state.ts';

/** Product ids with quantities. It stays in this browser until it is ordered. */
export type Basket = Record<string, number>;

const KEY = 'shop-basket';

function stored(): Basket {
  try {
    const entries = Object.entries(JSON.parse(localStorage.getItem(KEY) ?? '{}') as object);
    return Object.fromEntries(
      entries.filter(([id, quantity]) => /^\d+$/.test(id) && Number.isInteger(quantity) && quantity > 0),
    );
  } catch {
    return {};
  }
}

export const basket = createState<Basket>(stored());

function keep(next: Basket): void {
  localStorage.setItem(KEY, JSON.stringify(next));
  basket.set(next);
}

// Another tab has changed it.
window.addEventListener('storage', ({ key }) => {
  if (key === KEY) basket.set(stored());
});

export function setQuantity(id: number, quantity: number): void {
  const { [String(id)]: _, ...others } = basket.get();
  keep(quantity > 0 ? { ...others, [id]: quantity } : others);
}

export const addToBasket = (id: number, quantity = 1): void => setQuantity(id, (basket.get()[id] ?? 0) + quantity);

export const countOf = (content: Basket): number => Object.values(content).reduce((sum, quantity) => sum + quantity, 0);

interface Line {
  product: CatalogProduct;
  quantity: number;
}

/** One order: a store sends what it sells itself. */
export interface StoreOrder {
  store: CatalogProduct['store'];
  lines: Line[];
  total: number;
}

export function ordersOf(content: Basket, products: readonly CatalogProduct[]): StoreOrder[] {
  const byStore = new Map<number, StoreOrder>();
  for (const product of products) {
    const quantity = content[product.id];
    if (!quantity) continue;
    const order = byStore.get(product.store.id) ?? { store: product.store, lines: [], total: 0 };
    order.lines.push({ product, quantity });
    order.total = totalOf(order.lines);
    byStore.set(product.store.id, order);
  }
  return [...byStore.values()];
}

/** In whole cents: 0.1 + 0.2 is not 0.3. */
const totalOf = (lines: Line[]): number =>
  lines.reduce((sum, { product, quantity }) => sum + Math.round(product.price * 100) * quantity, 0) / 100;
