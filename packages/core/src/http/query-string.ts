import { type ParsedUrlQuery, parse } from 'node:querystring';

/** Text that no parameter accepts. */
const UNPAIRED_SURROGATE = '\ud800';

/**
 * Like Express's simple parser, which would replace bytes that are not UTF-8 by U+FFFD: here no parameter accepts them.
 * A `%` that begins no escape stands for itself (URL standard).
 */
export const parseQuery = (query: string): ParsedUrlQuery => parse(query, '&', '=', { decodeURIComponent: decode });

function decode(text: string): string {
  try {
    return decodeURIComponent(text.replace(/%(?![\da-f]{2})/gi, '%25'));
  } catch {
    return UNPAIRED_SURROGATE;
  }
}
