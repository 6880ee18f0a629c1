export { type AccessTokens, accessTokens, type Caller, type Role, roles } from './access-token';
export { assertOwnerOrAdmin } from './assert-owner-or-admin';
