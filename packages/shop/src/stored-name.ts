import { randomBytes } from 'node:crypto';
import type { FileKind } from '@shop/core/storage';

/** `{user_id}_{128 random bits}.{kind}`. No other name is valid, so no name can refer to a file outside the storage. */
const STORED_NAME = /^[1-9]\d{0,15}_[0-9a-f]{32}\.(jpg|png|gif|webp|pdf|txt)$/;

/** A name that the client can neither choose nor guess. */
export const newStoredName = (userId: number, kind: FileKind): string =>
  `${userId}_${randomBytes(16).toString('hex')}.${kind}`;

/** Returns undefined for a name that this storage never assigned. */
export const kindOfStoredName = (name: string): FileKind | undefined =>
  STORED_NAME.exec(name)?.[1] as FileKind | undefined;

/** The URL path of a stored file on the gateway. */
export const uploadUrl = (name: string): string => `/uploads/${name}`;
