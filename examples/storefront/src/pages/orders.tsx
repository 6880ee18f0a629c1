import type { Transaction } from '@shop/client';
import type { ComponentChildren } from 'preact';
import { announce } from '../announce.tsx';
import { shop } from '../api.ts';
import type { PageProps } from '../main.tsx';
import { linkTo } from '../router.ts';
import { useAction, useLoad } from '../state.ts';
import { date, dateAndTime, price } from '../text.ts';
import { ActionButton, Empty, PageTitle, Problem, Skeleton, Status } from '../ui.tsx';

type Change = Transaction['status'];

interface OrderListProps {
  /** Which orders, as a key and as a part of the query. */
  of: 'buyer' | 'seller' | 'everyone';
  children: ComponentChildren;
}

/** A list of orders with a button for more. `children` is what to show without orders. */
export function OrderList({ of, children }: OrderListProps) {
  const query = of === 'seller' ? { as: 'seller' as const, limit: 20 } : { limit: 20 };
  const orders = useLoad(of, async (signal) => {
    const { data, pagination } = await shop.get('/api/v1/transactions', { query, signal });
    return { list: data, next: pagination.next_cursor };
  });
  const more = useAction(async () => {
    const before = orders.data;
    if (!before?.next) return;
    const { data, pagination } = await shop.get('/api/v1/transactions', { query: { ...query, cursor: before.next } });
    orders.replace({ list: [...before.list, ...data], next: pagination.next_cursor });
  });
  const { data } = orders;
  if (!data)
    return orders.error ? <Problem error={orders.error} retry={orders.reload} /> : <Skeleton count={4} kind="row" />;
  if (data.list.length === 0) return <>{children}</>;
  return (
    <>
      <ul class="rows">
        {data.list.map((order) => (
          <li class="order-row" key={order.id}>
            <a href={linkTo(`/orders/${order.id}`)}>Order {order.id}</a>
            <span class="hint">{date(order.created_at)}</span>
            <Status status={order.status} />
            <span class="line-total">{price(order.total)}</span>
          </li>
        ))}
      </ul>
      <Problem error={more.error} />
      {data.next && (
        <p class="more">
          <ActionButton type="button" class="quiet" isRunning={more.isRunning} onClick={() => more.run()}>
            Show more
          </ActionButton>
        </p>
      )}
    </>
  );
}

export const OrdersPage = () => (
  <>
    <PageTitle title="Orders" />
    <OrderList of="buyer">
      <Empty title="No orders yet">
        <a class="button" href={linkTo('/')}>
          Look around
        </a>
      </Empty>
    </OrderList>
  </>
);

const SAYS: Record<Change, string> = {
  pending: 'Ordered. The store waits for the payment.',
  paid: 'Paid. The store packs it.',
  shipped: 'On its way.',
  completed: 'Delivered.',
  cancelled: 'Cancelled. Nothing is charged.',
};

export function OrderPage({ id, user }: PageProps & { id: number }) {
  const loaded = useLoad(String(id), (signal) => shop.get('/api/v1/transactions/{id}', { path: { id }, signal }));
  const change = useAction(async (status: Exclude<Change, 'pending'>) => {
    await shop.patch('/api/v1/transactions/{id}', { path: { id }, body: { status } });
    announce(`Order ${id} is ${status}`);
    loaded.reload();
  });
  const { data } = loaded;
  if (!data) {
    return (
      <>
        <PageTitle title={`Order ${id}`} />
        {loaded.error ? <Problem error={loaded.error} retry={loaded.reload} /> : <Skeleton count={3} kind="row" />}
      </>
    );
  }
  const { transaction: order, logs, history } = data;
  const isBuyer = order.user_id === user.id;
  const { shipping_address: to, status } = order;
  const steps = stepsFor(status, isBuyer, user.role === 'admin');
  return (
    <>
      <nav class="crumbs" aria-label="Breadcrumb">
        {isBuyer ? <a href={linkTo('/orders')}>Orders</a> : <a href={linkTo('/sell/orders')}>Orders of your stores</a>}
      </nav>
      <PageTitle title={`Order ${id}`}>
        <Status status={status} />
      </PageTitle>
      <div class="checkout">
        <section class="part" aria-label="Products">
          <ul class="lines">
            {logs.map((log) => (
              <li key={log.id}>
                <div class="line-name">
                  <a href={linkTo(`/products/${log.product_id}`)}>{log.product_name}</a>
                  <span class="hint">
                    {log.quantity} × {price(log.product_price)}
                  </span>
                </div>
                <span class="line-total">{price((Math.round(log.product_price * 100) * log.quantity) / 100)}</span>
              </li>
            ))}
          </ul>
          <dl>
            <div class="total">
              <dt>Total</dt>
              <dd>{price(order.total)}</dd>
            </div>
          </dl>
        </section>
        <section class="summary" aria-label="Status">
          <p class="lead">{SAYS[status]}</p>
          <ol class="history">
            <li>
              Ordered <span class="hint">{dateAndTime(order.created_at)}</span>
            </li>
            {history.map(({ to: next, changed_at, changed_by }) => (
              <li key={changed_at + next}>
                {next[0]?.toUpperCase()}
                {next.slice(1)}
                {changed_by === null && ', because it was not paid in time'}{' '}
                <span class="hint">{dateAndTime(changed_at)}</span>
              </li>
            ))}
          </ol>
          <h2>Ships to</h2>
          <p>
            {to.address}
            <br />
            {[to.postal_code, to.city].filter(Boolean).join(' ')}
          </p>
          <Problem error={change.error} />
          {steps.map((step) => (
            <ActionButton
              type="button"
              class={step === 'cancelled' ? 'quiet wide' : 'primary wide'}
              isRunning={change.isRunning}
              onClick={() => change.run(step)}
              key={step}
            >
              {step === 'cancelled' ? 'Cancel order' : `Mark as ${step}`}
            </ActionButton>
          ))}
        </section>
      </div>
    </>
  );
}

/** What this user can do next: buyers cancel what is not paid, stores ship or cancel, administrators also say that it is paid. */
function stepsFor(status: Change, isBuyer: boolean, isAdmin: boolean): Exclude<Change, 'pending'>[] {
  if (status === 'pending') return isAdmin ? ['paid', 'cancelled'] : ['cancelled'];
  if (status === 'paid' && (isAdmin || !isBuyer)) return ['shipped', 'cancelled'];
  return status === 'shipped' && isAdmin ? ['completed'] : [];
}
