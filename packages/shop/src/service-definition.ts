import type { DocsPage } from '@shop/core/http';
import { REQUIRED_MIGRATION } from './migrations';
import { productionRules } from './production';
import { type ServiceName, services } from './services';

/**
 * The part of a service's definition that is the same for all services of the shop.
 *
 * @example
 * export const storeService = { ...inShop('store'), settings, endpoints: storeEndpoints };
 */
export const inShop = (name: ServiceName) => ({
  name,
  tables: [...Object.keys(services[name].tables), ...Object.keys(services[name].otherTables)],
  namespace: 'shop',
  portKey: services[name].portVariable,
  production: productionRules,
  migration: REQUIRED_MIGRATION,
  docs: (): readonly DocsPage[] => require('./docs-pages.json'),
});
