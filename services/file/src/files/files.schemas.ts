import { pageQuery, timestamp } from '@shop/core';
import { z } from 'zod';

/** `url` serves the bytes; `filename` is the name they had on the client's side. */
export const uploadedFile = z
  .object({ url: z.string(), filename: z.string(), size: z.int() })
  .meta({ id: 'UploadedFile' });

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

/** The form has a file and nothing else. */
export const noFields = z.strictObject({});

export const fileQuery = z.object(pageQuery);

export type FileQuery = z.output<typeof fileQuery>;

/** Any text: what is no stored name is not found. */
export const filenameParams = z.object({ filename: z.string() });
