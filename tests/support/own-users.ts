import type { Env } from '@shop/core/config';
import { loginVariables, ownLogin, type ServiceName, serviceNames } from '@shop/shop/services';

const PASSWORD = 'password-of-a-service';

/** Settings that name a database user for each service: AUTH_DB_USER and so on. */
export const ownUsers = (prefix: string): Env =>
  Object.fromEntries(
    serviceNames.flatMap((name) => {
      const variables = loginVariables(name);
      return [
        [variables.user, `${prefix}${name}`],
        [variables.password, PASSWORD],
      ];
    }),
  );

/** The login with which a service may only do what packages/shop/src/services.ts declares, in the suite's database. */
export const ownLoginOf = (name: ServiceName): Env =>
  ownLogin(name, ownUsers(process.env.SHOP_TEST_DB_USER_PREFIX ?? ''));
