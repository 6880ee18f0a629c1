import { forbidden, notFound, preconditionFailed, rangeNotSatisfiable, storageUnavailable } from '@shop/core/errors';
import { created, type Endpoint, endpoint, listEndpoint, noFields, sendFile } from '@shop/core/http';
import { fileKinds, MAX_FILE_BYTES, mediaTypeOf } from '@shop/core/storage';
import type { FileContext } from '../service';
import { deleteFile } from './delete-file';
import { downloadHeaders, filename, filenameParams, fileQuery, storedFile, uploadedFile } from './files.schemas';
import { listFiles } from './files.sql';
import { uploadFile } from './upload-file';
import { uploadHeaders } from './upload-headers';

const PATH = '/api/v1/files';
const tag = { name: 'files', description: 'Uploads: images, PDFs and plain text files.' };

export const fileEndpoints = (ctx: FileContext): Endpoint[] => [
  endpoint({
    method: 'post',
    path: `${PATH}/upload`,
    operationId: 'uploadFile',
    tag,
    summary: 'Upload one file',
    description:
      'A JPEG, PNG, GIF, WebP, PDF or plain text file of at most 5 MiB. The type is detected from the content; ' +
      'a declared type or a file extension that contradicts the content is refused.',
    access: 'user',
    idempotent: true,
    upload: { field: 'file', required: true, maxBytes: MAX_FILE_BYTES, kinds: fileKinds, storage: ctx.storage },
    body: noFields,
    form: noFields,
    responses: { 201: uploadedFile },
    errors: [storageUnavailable],
    handler: async ({ caller, file, attempt }) => {
      const uploaded = await uploadFile(ctx, caller, file, attempt);
      return created(uploaded.url, uploaded);
    },
  }),

  listEndpoint({
    path: PATH,
    operationId: 'listFiles',
    tag,
    summary: 'List your uploads',
    access: 'user',
    query: fileQuery,
    item: storedFile,
    list: async ({ caller, query }) => await listFiles(ctx.db, caller.id, query),
  }),

  endpoint({
    method: 'delete',
    path: `${PATH}/:filename`,
    operationId: 'deleteFile',
    tag,
    summary: 'Delete an upload by its stored name',
    access: 'user',
    params: filenameParams,
    description: 'If-Match takes the ETag of the download.',
    responses: { 204: 'empty' },
    ifMatch: filename,
    errors: [forbidden, notFound, storageUnavailable],
    handler: async ({ caller, params, ifMatch }) => await deleteFile(ctx, caller, params.filename, ifMatch),
  }),

  endpoint({
    method: 'get',
    path: '/uploads/:filename',
    operationId: 'downloadFile',
    tag,
    summary: 'Download an upload or a product image',
    description: 'Supports range requests (206, 416) and conditional requests (304, 412).',
    access: 'public',
    params: filenameParams,
    headers: downloadHeaders,
    responses: { 200: { binary: fileKinds.map(mediaTypeOf) } },
    bucket: 'uploads',
    undecodablePath: notFound,
    errors: [notFound, preconditionFailed, rangeNotSatisfiable, storageUnavailable],
    handler: async ({ params }) => sendFile(ctx.storage, params.filename, uploadHeaders(params.filename)),
  }),
];
