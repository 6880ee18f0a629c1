import { type Category, createClient, isApiError, type User } from '@shop/client';
import { createState } from './state.ts';

/**
 * The tokens are in cookies that no script can read, so an injected script cannot take them away. What is kept here is only
 * whether there may be a session, so that a visitor without one costs no request.
 */
const HINT = 'shop-has-session';

export type Session = { status: 'unknown' | 'out' } | { status: 'in'; user: User };

export const session = createState<Session>({ status: localStorage.getItem(HINT) ? 'unknown' : 'out' });

export const shop = createClient({
  session: 'cookies',
  onSession: (_, state) => {
    if (state === 'active') localStorage.setItem(HINT, 'yes');
    else {
      localStorage.removeItem(HINT);
      session.set({ status: 'out' });
    }
  },
});

/** Asks whose session it is, after a login and when the page opens. */
export async function loadUser(): Promise<void> {
  try {
    session.set({ status: 'in', user: await shop.get('/api/v1/auth/me') });
  } catch (error) {
    if (isApiError(error) && error.status === 401) session.set({ status: 'out' });
    else throw error;
  }
}

export async function logOut(): Promise<void> {
  await shop.logOut();
}

let loading: Promise<readonly Category[]> | undefined;

/** They change rarely, so they are asked for once per visit. */
export function loadCategories(): Promise<readonly Category[]> {
  loading ??= shop.get('/api/v1/categories', { query: { limit: 100 } }).then(({ data }) => data);
  loading.catch(() => {
    loading = undefined;
  });
  return loading;
}
