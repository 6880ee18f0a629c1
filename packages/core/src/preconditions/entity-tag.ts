import { hash } from 'node:crypto';

/** 132 bits of the hash: enough that different texts never get the same tag. */
const TAG_LENGTH = 22;

/** The strong entity tag (RFC 9110, 8.8.3) of a representation. The same bytes have the same tag on every replica. */
export const entityTag = (text: string): string => `"${hash('sha256', text, 'base64url').slice(0, TAG_LENGTH)}"`;

/** The tag of the same representation, compressed: other bytes need another strong tag. */
export const gzipTag = (tag: string): string => tag.replace(/"$/, '-gzip"');

/** One element of a list, from where the one before has ended. A tag may contain commas. */
const LISTED_TAG = /[\t ,]*(W\/)?("[\x21\x23-\x7e\x80-\xff]*")[\t ]*(?=,|$)/gy;

/**
 * Returns the first of `tags` that a header with a list of tags names. `*` names any tag. A
 * malformed element and what follows it name none.
 * @param comparison If-None-Match compares weakly (`W/"1"` names `"1"`), If-Match strongly (RFC 9110, 8.8.3.2)
 */
export function tagNamedBy(header: string, tags: string[], comparison: 'weak' | 'strong'): string | undefined {
  if (header.trim() === '*') return tags[0];
  const named = new Set<string | undefined>();
  for (const [, weak, tag] of header.matchAll(LISTED_TAG)) if (!weak || comparison === 'weak') named.add(tag);
  return tags.find((tag) => named.has(tag));
}
