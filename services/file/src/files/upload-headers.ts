import { imageKinds, mediaTypeOf } from '@shop/core/storage';
import { kindOfStoredName } from '@shop/shop';

/** Tells browsers and caches how to treat an uploaded file: show images, save everything else, run nothing. */
export function uploadHeaders(storedName: string): Record<string, string> {
  const kind = kindOfStoredName(storedName);
  if (!kind) return {};
  return {
    'Content-Type': mediaTypeOf(kind),
    // The bytes of a stored name never change.
    'Cache-Control': 'public, max-age=31536000, immutable',
    'Content-Security-Policy': "default-src 'none'; sandbox",
    // Shop front ends on other origins show these images.
    'Cross-Origin-Resource-Policy': 'cross-origin',
    ...(imageKinds.includes(kind) ? {} : { 'Content-Disposition': `attachment; filename="${storedName}"` }),
  };
}
