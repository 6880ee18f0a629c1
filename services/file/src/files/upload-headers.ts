import { imageKinds, kindOfStoredName, mediaTypeOf } from '@shop/core';

/** How browsers and caches are to treat a file that somebody uploaded: show images, save the rest, run nothing. */
export function uploadHeaders(storedName: string): Record<string, string> {
  const kind = kindOfStoredName(storedName);
  if (!kind) return {};
  return {
    'Content-Type': mediaTypeOf(kind),
    // A stored name never gets other bytes.
    'Cache-Control': 'public, max-age=31536000, immutable',
    'Content-Security-Policy': "default-src 'none'; sandbox",
    // Shops of other origins show these images.
    'Cross-Origin-Resource-Policy': 'cross-origin',
    ...(imageKinds.includes(kind) ? {} : { 'Content-Disposition': `attachment; filename="${storedName}"` }),
  };
}
