export { cacheScope, productScopes } from './cache-scopes';
export { migrationsFolder, REQUIRED_MIGRATION } from './migrations';
export { cents, centsFromDecimal, centsFromNumber, centsToDecimal, centsToNumber, MAX_CENTS } from './money';
export { amount, price, priceString } from './prices';
export { productionRules } from './production';
export { inShop } from './service-definition';
export { type ServiceName, serviceNames, services } from './services';
export { kindOfStoredName, newStoredName, uploadUrl } from './stored-name';
export { createUploadStorage } from './upload-storage';
