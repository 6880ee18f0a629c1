import { randomBytes } from 'node:crypto';

/** What may be stored: the media type that it is served with, by the extension of its stored name. */
const TYPES = {
  jpg: 'image/jpeg',
  png: 'image/png',
  gif: 'image/gif',
  webp: 'image/webp',
  pdf: 'application/pdf',
  txt: 'text/plain; charset=utf-8',
} as const;

export type FileKind = keyof typeof TYPES;

export const imageKinds: readonly FileKind[] = ['jpg', 'png', 'gif', 'webp'];
export const fileKinds: readonly FileKind[] = [...imageKinds, 'pdf', 'txt'];

export const mediaTypeOf = (kind: FileKind): string => TYPES[kind];

/** `{user_id}_{128 random bits}.{kind}`: nothing else is a name, so no name reaches outside the storage. */
const STORED_NAME = /^[1-9]\d{0,15}_[0-9a-f]{32}\.(jpg|png|gif|webp|pdf|txt)$/;

/** A name that the client can neither choose nor guess. */
export const newStoredName = (userId: number, kind: FileKind): string =>
  `${userId}_${randomBytes(16).toString('hex')}.${kind}`;

/** undefined: no name that this storage ever gave. */
export const kindOfStoredName = (name: string): FileKind | undefined =>
  STORED_NAME.exec(name)?.[1] as FileKind | undefined;

/** The address that serves a stored file, below the gateway. */
export const uploadUrl = (name: string): string => `/uploads/${name}`;
