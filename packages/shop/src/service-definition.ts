import { productionRules } from './production';
import { type ServiceName, services } from './services';

/**
 * What the definition of a service takes from the shop.
 *
 * @example
 * export const storeService = { ...inShop('store'), settings, tables: ['stores'], endpoints: storeEndpoints };
 */
export const inShop = (name: ServiceName) => ({
  name,
  portKey: services[name].portVariable,
  production: productionRules,
});
