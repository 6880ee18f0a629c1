/** The kinds of files that may be stored: the extension of the stored name, and the media type when served. */
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

/** The kind of a stored name; undefined for any other name, which the storage never touches or lists. */
export type KindOfName = (name: string) => FileKind | undefined;
