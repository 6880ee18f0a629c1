import type { User } from '@shop/client';
import { type ComponentChildren, render } from 'preact';
import { useEffect } from 'preact/hooks';
import { Announcements } from './announce.tsx';
import { loadUser, session } from './api.ts';
import { basket, countOf } from './basket.ts';
import { AccountPage } from './pages/account.tsx';
import { AddressesPage } from './pages/addresses.tsx';
import { BasketPage, basketLabel } from './pages/basket.tsx';
import { Browse } from './pages/browse.tsx';
import { OrderPage, OrdersPage } from './pages/orders.tsx';
import { ProductPage } from './pages/product.tsx';
import { EditProductPage, NewProductPage, SellOrdersPage, SellPage } from './pages/sell.tsx';
import { SignIn } from './pages/sign-in.tsx';
import { goTo, linkTo, type Place, place } from './router.ts';
import { useAction, useValue } from './state.ts';
import { Empty, fieldsOf, PageTitle, Problem, Skeleton } from './ui.tsx';
import './styles.css';

/** A page that needs an account. */
export interface PageProps {
  user: User;
}

function App() {
  const where = useValue(place);
  const path = where.path.join('/');
  useEffect(() => window.scrollTo(0, 0), [path]);
  return (
    <>
      <button type="button" class="skip" onClick={() => document.getElementById('main')?.focus()}>
        Skip to content
      </button>
      <Header search={where.query.get('search') ?? ''} />
      <main id="main" tabIndex={-1}>
        <Page where={where} key={path} />
      </main>
      <footer>
        <p>An example on the shop’s API.</p>
        <nav aria-label="About">
          <a href="/docs">API</a>
          <a href="/openapi.json">OpenAPI document</a>
        </nav>
      </footer>
      <Announcements />
    </>
  );
}

function Page({ where: { path, query } }: { where: Place }) {
  const [first = '', second, third] = path;
  const id = (text: string | undefined) => (text && /^\d+$/.test(text) ? Number(text) : undefined);
  const [secondId, thirdId] = [id(second), id(third)];
  if (first === '') return <Browse query={query} />;
  if (first === 'products' && secondId) return <ProductPage id={secondId} />;
  if (first === 'basket') return <BasketPage />;
  if (first === 'account') return <WithAccount title="Account">{(user) => <AccountPage user={user} />}</WithAccount>;
  if (first === 'addresses') return <WithAccount title="Addresses">{() => <AddressesPage />}</WithAccount>;
  if (first === 'orders') {
    return (
      <WithAccount title="Orders">
        {(user) => (secondId ? <OrderPage id={secondId} user={user} /> : <OrdersPage />)}
      </WithAccount>
    );
  }
  if (first === 'sell') {
    return (
      <WithAccount title="Sell">
        {(user) => {
          if (second === 'orders') return <SellOrdersPage user={user} />;
          if (second === 'new') return <NewProductPage />;
          return second === 'products' && thirdId ? <EditProductPage id={thirdId} /> : <SellPage />;
        }}
      </WithAccount>
    );
  }
  return (
    <>
      <PageTitle title="Not found" />
      <Empty title="There is nothing here">
        <a class="button" href={linkTo('/')}>
          All products
        </a>
      </Empty>
    </>
  );
}

function WithAccount({ title, children }: { title: string; children: (user: User) => ComponentChildren }) {
  const current = useValue(session);
  const load = useAction(loadUser);
  if (current.status === 'in') return <>{children(current.user)}</>;
  return (
    <>
      <PageTitle title={title} />
      {current.status === 'unknown' &&
        (load.error ? <Problem error={load.error} retry={() => load.run()} /> : <Skeleton count={3} kind="row" />)}
      {current.status === 'out' && (
        <div class="narrow">
          <SignIn reason="Log in or sign up to go on." />
        </div>
      )}
    </>
  );
}

function Header({ search }: { search: string }) {
  const current = useValue(session);
  const count = countOf(useValue(basket));
  return (
    <header class="top">
      <div class="bar">
        <a class="brand" href={linkTo('/')}>
          <svg viewBox="0 0 32 32" aria-hidden="true">
            <rect width="32" height="32" rx="9" />
            <path class="bag" d="M8.5 13h15l-1.2 9.4a2 2 0 0 1-2 1.8h-8.6a2 2 0 0 1-2-1.8z" />
            <path class="handle" d="M12 15v-3.5a4 4 0 0 1 8 0V15" />
          </svg>
          Open shop
        </a>
        <search>
          <form
            key={search}
            onSubmit={(event) => {
              event.preventDefault();
              goTo(linkTo('/', { search: fieldsOf(event.currentTarget).search?.trim() }));
            }}
          >
            <label class="visually-hidden" for="search">
              Search for products
            </label>
            <input
              id="search"
              name="search"
              type="search"
              placeholder="Search for products"
              defaultValue={search}
              maxLength={255}
            />
            <button type="submit" aria-label="Search">
              <svg viewBox="0 0 20 20" aria-hidden="true">
                <circle cx="9" cy="9" r="5.5" />
                <path d="m13.2 13.2 3.8 3.8" />
              </svg>
            </button>
          </form>
        </search>
        <nav aria-label="Main">
          <a href={linkTo('/sell')}>Sell</a>
          <a href={linkTo('/orders')}>Orders</a>
          <a href={linkTo('/account')}>{current.status === 'out' ? 'Log in' : 'Account'}</a>
          <a class="basket-link" href={linkTo('/basket')}>
            <span class="visually-hidden">{basketLabel(count)}</span>
            <svg viewBox="0 0 24 24" aria-hidden="true">
              <path d="M4 8.5h16l-1.4 10a2 2 0 0 1-2 1.7H7.4a2 2 0 0 1-2-1.7z" />
              <path d="M8.5 11V7a3.5 3.5 0 0 1 7 0v4" />
            </svg>
            <span class="basket-count" aria-hidden="true">
              {count}
            </span>
          </a>
        </nav>
      </div>
    </header>
  );
}

/** Asks once for the user, if this browser may have a session. Pages that need one show what went wrong. */
if (session.get().status === 'unknown') void loadUser().catch(() => undefined);

const root = document.getElementById('app');
if (root) render(<App />, root);
