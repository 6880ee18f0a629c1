import { pageQuery, timestamp } from '@shop/core/http';
import { z } from 'zod';

/** `url` serves the bytes; `filename` is the client's name for them. */
export const uploadedFile = z
  .object({ url: z.string(), filename: z.string(), size: z.int() })
  .meta({ id: 'UploadedFile' });

export type UploadedFile = z.input<typeof uploadedFile>;

export const storedFile = z
  .object({
    filename: z.string().meta({ description: 'The stored name' }),
    original_name: z.string(),
    url: z.string(),
    content_type: z.string(),
    size: z.int(),
    created_at: timestamp,
  })
  .meta({ id: 'StoredFile' });

export type StoredFile = z.input<typeof storedFile>;

/** The form contains only the file. */
export const noFields = z.strictObject({});

export const fileQuery = z.object(pageQuery);

export type FileQuery = z.output<typeof fileQuery>;

/** Accepts any text: a name that is not a stored name gets a 404. */
export const filenameParams = z.object({ filename: z.string() });
