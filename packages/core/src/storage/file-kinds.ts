/** What may be stored, by the extension of its stored name, and the media type that it is served with. */
const MEDIA_TYPES = {
  jpg: 'image/jpeg',
  png: 'image/png',
  gif: 'image/gif',
  webp: 'image/webp',
  pdf: 'application/pdf',
  txt: 'text/plain; charset=utf-8',
} as const;

export type FileKind = keyof typeof MEDIA_TYPES;

export const imageKinds: readonly FileKind[] = ['jpg', 'png', 'gif', 'webp'];
export const fileKinds: readonly FileKind[] = [...imageKinds, 'pdf', 'txt'];

export const mediaTypeOf = (kind: FileKind): string => MEDIA_TYPES[kind];

/** Reads a stored name. undefined: it is none, and the storage neither reads, writes, deletes nor lists it. */
export type KindOfName = (name: string) => FileKind | undefined;
