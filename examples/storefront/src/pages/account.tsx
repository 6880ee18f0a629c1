import { logOut } from '../api.ts';
import type { PageProps } from '../main.tsx';
import { linkTo } from '../router.ts';
import { useAction } from '../state.ts';
import { date } from '../text.ts';
import { ActionButton, PageTitle, Problem } from '../ui.tsx';

export function AccountPage({ user }: PageProps) {
  const leave = useAction(logOut);
  return (
    <>
      <PageTitle title={`Hello, ${user.name}`} />
      <div class="narrow stack">
        <ul class="tiles">
          <li>
            <a href={linkTo('/orders')}>
              <strong>Orders</strong>What you have ordered, and where it is
            </a>
          </li>
          <li>
            <a href={linkTo('/addresses')}>
              <strong>Addresses</strong>Where orders go
            </a>
          </li>
          <li>
            <a href={linkTo('/sell')}>
              <strong>Sell</strong>Your products and the orders of your stores
            </a>
          </li>
        </ul>
        <dl class="facts">
          <div>
            <dt>Email address</dt>
            <dd>
              {user.email}
              {!user.email_verified && <span class="hint"> (not confirmed)</span>}
            </dd>
          </div>
          <div>
            <dt>Phone number</dt>
            <dd>{user.phone ?? 'none'}</dd>
          </div>
          <div>
            <dt>Customer since</dt>
            <dd>{date(user.created_at)}</dd>
          </div>
        </dl>
        <Problem error={leave.error} />
        <ActionButton type="button" class="quiet" isRunning={leave.isRunning} onClick={() => leave.run()}>
          Log out
        </ActionButton>
      </div>
    </>
  );
}
