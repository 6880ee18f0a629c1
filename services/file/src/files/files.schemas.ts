import { pageQuery, timestamp } from '@shop/core/http';
import { z } from 'zod';

const url = { description: 'The path of the bytes', examples: ['/uploads/1_0b8f7c1e.png'] };
const size = { description: 'The bytes of the file', examples: [1234] };

/** `url` serves the bytes; `filename` is the client's name for them. */
export const uploadedFile = z
  .object({
    url: z.string().meta(url),
    filename: z.string().meta({ description: "The client's name for the file", examples: ['mug.png'] }),
    size: z.int().meta(size),
  })
  .meta({ id: 'UploadedFile', description: 'A file that was stored' });

export type UploadedFile = z.input<typeof uploadedFile>;

export const storedFile = z
  .object({
    filename: z.string().meta({ description: 'The stored name', examples: ['1_0b8f7c1e.png'] }),
    original_name: z.string().meta({ description: "The client's name for the file", examples: ['mug.png'] }),
    url: z.string().meta(url),
    content_type: z.string().meta({ description: 'The media type, detected from the bytes', examples: ['image/png'] }),
    size: z.int().meta(size),
    created_at: timestamp.meta({ description: 'When it was stored' }),
  })
  .meta({ id: 'StoredFile', description: 'An upload' });

export type StoredFile = z.input<typeof storedFile>;

export const fileQuery = z.object(pageQuery);

/** Accepts any text: a name that is not a stored name gets a 404. */
export const filename = z.string().meta({ description: 'The stored name of the file', examples: ['1_0b8f7c1e.png'] });

export const filenameParams = z.object({ filename });

const lastModified = { examples: ['Sat, 31 Jan 2026 09:00:00 GMT'] };

/** Read by `sendFile`. A header that is not well-formed is ignored (RFC 9110). */
export const downloadHeaders = z.object({
  range: z
    .string()
    .optional()
    .meta({ description: 'Which part of the file to send', examples: ['bytes=0-99'] }),
  'if-range': z
    .string()
    .optional()
    .meta({ description: 'Send the whole file if it has another Last-Modified or ETag', ...lastModified }),
  'if-none-match': z
    .string()
    .optional()
    .meta({ description: '304 if the file has one of these ETags', examples: ['"1_0b8f7c1e.png"'] }),
  'if-modified-since': z
    .string()
    .optional()
    .meta({ description: '304 if the file has not changed since', ...lastModified }),
  'if-match': z
    .string()
    .optional()
    .meta({ description: '412 if the file has none of these ETags', examples: ['*'] }),
  'if-unmodified-since': z
    .string()
    .optional()
    .meta({ description: '412 if the file has changed since', ...lastModified }),
});
