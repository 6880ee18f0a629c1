import { type Address, isApiError } from '@shop/client';
import { useState } from 'preact/hooks';
import { session, shop } from '../api.ts';
import { basket, ordersOf, type StoreOrder, setQuantity } from '../basket.ts';
import { linkTo } from '../router.ts';
import { useAction, useLoad, useValue } from '../state.ts';
import { plural, price } from '../text.ts';
import { ActionButton, Empty, PageTitle, Problem, ProductImage, Quantity, Skeleton } from '../ui.tsx';
import { Addresses } from './addresses.tsx';
import { SignIn } from './sign-in.tsx';

interface Placed {
  id: number;
  store: string;
}
interface Failed {
  order: StoreOrder;
  error: unknown;
}

export function BasketPage() {
  const content = useValue(basket);
  const { status } = useValue(session);
  const [address, setAddress] = useState<Address>();
  const [placed, setPlaced] = useState<Placed[]>([]);
  const [failed, setFailed] = useState<Failed[]>([]);
  // As many as one call can name. More follow once these are ordered.
  const ids = Object.keys(content).slice(0, 100);
  const products = useLoad(ids.toSorted().join(), async (signal) =>
    ids.length === 0
      ? []
      : (await shop.get('/api/v1/catalog/products', { query: { ids: ids.join(), limit: 100 }, signal })).data,
  );
  const orders = ordersOf(content, products.data ?? []);
  const missing =
    products.data && !products.isLoading
      ? ids.filter((id) => !products.data?.some((one) => String(one.id) === id))
      : [];

  const checkout = useAction(async () => {
    if (!address) return;
    setFailed([]);
    const failures: Failed[] = [];
    for (const order of orders) {
      try {
        const id = await place(order, address);
        setPlaced((before) => [...before, { id, store: order.store.name }]);
        for (const { product } of order.lines) setQuantity(product.id, 0);
      } catch (error) {
        failures.push({ order, error });
      }
    }
    setFailed(failures);
    if (failures.some(({ error }) => isApiError(error, 'total_changed', 'insufficient_stock', 'product_not_found')))
      products.reload();
  });

  if (ids.length === 0) {
    return placed.length > 0 ? (
      <>
        <PageTitle title="Thank you" />
        <PlacedOrders placed={placed} />
      </>
    ) : (
      <>
        <PageTitle title="Basket" />
        <Empty title="Your basket is empty">
          <a class="button" href={linkTo('/')}>
            Look around
          </a>
        </Empty>
      </>
    );
  }
  return (
    <>
      <PageTitle title="Basket" />
      <PlacedOrders placed={placed} />
      <Problem error={products.error} retry={products.reload} />
      {!products.data && products.isLoading && <Skeleton count={ids.length} kind="row" />}
      <div class="checkout">
        <div>
          {orders.map((order) => (
            <OrderPart
              order={order}
              error={failed.find((one) => one.order.store.id === order.store.id)?.error}
              key={order.store.id}
            />
          ))}
          {missing.map((id) => (
            <p class="notice" key={id}>
              A product in your basket is not sold any more.{' '}
              <button type="button" class="link" onClick={() => setQuantity(Number(id), 0)}>
                Remove it
              </button>
            </p>
          ))}
        </div>
        {orders.length > 0 && (
          <section class="summary" aria-label="Order">
            <dl>
              {orders.map(({ store, total }) => (
                <div key={store.id}>
                  <dt>{store.name}</dt>
                  <dd>{price(total)}</dd>
                </div>
              ))}
              <div class="total">
                <dt>Total</dt>
                <dd>{price(orders.reduce((sum, { total }) => sum + Math.round(total * 100), 0) / 100)}</dd>
              </div>
            </dl>
            {orders.length > 1 && (
              <p class="hint">
                These are {orders.length} orders, because {orders.length} stores send them: each ships, and can be
                cancelled, by itself. If one cannot be placed, the others still are.
              </p>
            )}
            {status === 'in' ? (
              <>
                <h2>Ship to</h2>
                <Addresses chosen={address} onChoose={setAddress} />
                <ActionButton
                  type="button"
                  class="primary wide"
                  isRunning={checkout.isRunning}
                  disabled={!address}
                  onClick={checkout.run}
                >
                  {orders.length > 1 ? `Place ${orders.length} orders` : 'Place order'}
                </ActionButton>
                <p class="hint">
                  This example takes no payment: an order stays pending until an administrator says that it is paid.
                </p>
                <Problem error={checkout.error} />
              </>
            ) : (
              <SignIn reason="Log in or sign up to order. Your basket stays as it is." />
            )}
          </section>
        )}
      </div>
    </>
  );
}

function OrderPart({ order, error }: { order: StoreOrder; error: unknown }) {
  return (
    <section class="part">
      <h2>{order.store.name}</h2>
      <Problem error={error} products={order.lines.map(({ product }) => product)} />
      <ul class="lines">
        {order.lines.map(({ product, quantity }) => (
          <li key={product.id}>
            <ProductImage product={product} />
            <div class="line-name">
              <a href={linkTo(`/products/${product.id}`)}>{product.name}</a>
              <span class="hint">{price(product.price)} each</span>
              {product.stock < quantity && (
                <span class="field-error">{product.stock === 0 ? 'Sold out' : `Only ${product.stock} left`}</span>
              )}
            </div>
            <Quantity
              name={product.name}
              value={quantity}
              max={Math.max(product.stock, 1)}
              onChange={(next) => setQuantity(product.id, next)}
            />
            <span class="line-total">{price(Math.round(product.price * 100 * quantity) / 100)}</span>
            <button
              type="button"
              class="link"
              aria-label={`Remove ${product.name}`}
              onClick={() => setQuantity(product.id, 0)}
            >
              Remove
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}

const PlacedOrders = ({ placed }: { placed: Placed[] }) =>
  placed.length === 0 ? null : (
    <div class="notice success" role="status">
      <p>{placed.length > 1 ? 'Your orders are placed:' : 'Your order is placed:'}</p>
      <ul>
        {placed.map(({ id, store }) => (
          <li key={id}>
            <a href={linkTo(`/orders/${id}`)}>
              Order {id} from {store}
            </a>
          </li>
        ))}
      </ul>
    </div>
  );

/**
 * The key belongs to what is ordered, and is kept in the tab until the order is known to be placed. If the response is lost, a
 * second click, even after a reload, finds the first order instead of placing another one.
 */
async function place({ lines, total }: StoreOrder, address: Address): Promise<number> {
  const body = {
    address_id: address.id,
    items: lines.map(({ product, quantity }) => ({ product_id: product.id, quantity })),
    expected_total: total,
  };
  const slot = `shop-order-${JSON.stringify(body)}`;
  const idempotencyKey =
    sessionStorage.getItem(slot) ?? Array.from(crypto.getRandomValues(new Uint32Array(4))).join('-');
  sessionStorage.setItem(slot, idempotencyKey);
  const { id } = await shop.post('/api/v1/transactions', { body, idempotencyKey });
  sessionStorage.removeItem(slot);
  return id;
}

export const basketLabel = (count: number) => (count === 0 ? 'Basket, empty' : `Basket, ${plural(count, 'item')}`);
