export {
  type AccessTokenIssuer,
  type AccessTokenVerifier,
  accessTokenIssuer,
  accessTokenVerifier,
  type Caller,
  type Role,
  roles,
  type VerifiedToken,
} from './access-token';
export { assertOwnerOrAdmin, ownerLimit } from './assert-owner-or-admin';
export { CHALLENGE, expiredAccessToken, invalidAccessToken } from './challenges';
export {
  createRevocations,
  REVOCATIONS_TABLE,
  type Revocation,
  type RevocationStore,
  type Revocations,
  revocationsIn,
} from './revocations';
export { type PublicJwk, privateKey, publicJwks, publicKeys, secretKey, type TokenKey } from './token-key';
