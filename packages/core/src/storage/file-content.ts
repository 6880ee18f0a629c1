import { isUtf8 } from 'node:buffer';
import { invalidRequest, unsupportedMediaType } from '../errors/common-errors';
import type { UploadedFile } from '../http/endpoint';
import { hasVisibleCharacter } from '../schemas/schemas';
import { claimsAllow } from './file-claims';
import type { FileKind } from './stored-name';

export const MAX_FILE_BYTES = 5 * 1024 * 1024;

const startsWith = (bytes: Buffer, signature: string, at = 0): boolean =>
  bytes.subarray(at, at + signature.length).equals(Buffer.from(signature, 'latin1'));

const isPng = (bytes: Buffer): boolean => startsWith(bytes, '\x89PNG\r\n\x1a\n\0\0\0\rIHDR');
const isGif = (bytes: Buffer): boolean => startsWith(bytes, 'GIF87a') || startsWith(bytes, 'GIF89a');
const isWebp = (bytes: Buffer): boolean => startsWith(bytes, 'RIFF') && startsWith(bytes, 'WEBPVP8', 8);
const isPdf = (bytes: Buffer): boolean => /^%PDF-\d\.\d/.test(bytes.toString('latin1', 0, 8));
/** SOI, then a marker: FF and what is neither filling nor a restart. */
const isJpeg = (bytes: Buffer): boolean =>
  startsWith(bytes, '\xff\xd8\xff') && (bytes[3] ?? 0) >= 0xc0 && bytes[3] !== 0xff;

/** Control characters other than tab, line feed, form feed and carriage return. */
const CONTROL = /[^\P{Cc}\t\n\f\r\u0080-\u009f]/u;
/** A document that begins with a tag, a declaration or a processing instruction, or a script with its interpreter. */
const MARKUP_START = /^[\ufeff\s]*(<[a-z/!?%]|#!|@echo\s+off)/i;
/** What makes HTML, SVG, XML, PHP and their like of a text, wherever it stands in it. */
const MARKUP =
  /<(!doctype|!entity|!\[cdata\[|\?xml|\?php|\?=|\/?([a-z]{1,20}:)?(html|head|body|script|svg|math|iframe|frame|object|embed|applet|form|style|link|meta|base|img|video|audio)(?=[\s/>]))/i;

function isPlainText(bytes: Buffer): boolean {
  if (!isUtf8(bytes)) return false;
  const text = bytes.toString('utf8');
  return !CONTROL.test(text) && !MARKUP_START.test(text) && !MARKUP.test(text);
}

/** What the bytes are, whatever their name says; undefined: nothing that is taken. */
function kindOfContent(bytes: Buffer): FileKind | undefined {
  if (isJpeg(bytes)) return 'jpg';
  if (isPng(bytes)) return 'png';
  if (isGif(bytes)) return 'gif';
  if (isWebp(bytes)) return 'webp';
  if (isPdf(bytes)) return 'pdf';
  return isPlainText(bytes) ? 'txt' : undefined;
}

/**
 * Decides by its bytes what an uploaded file is.
 * @param field names it in the error
 * @throws AppError `invalid_request` when it is empty; `unsupported_media_type` when it is of none of the accepted kinds, or
 *   when its declared type or its name's extension says that it is something else
 */
export function acceptFile(file: UploadedFile, accepted: readonly FileKind[], field: string): FileKind {
  if (file.bytes.length === 0)
    throw invalidRequest({ errors: [{ in: 'body', path: field, code: 'too_small', message: 'must not be empty' }] });
  const kind = kindOfContent(file.bytes);
  if (!kind || !accepted.includes(kind)) {
    throw unsupportedMediaType({ message: `The content of "${field}" must be one of: ${accepted.join(', ')}.` });
  }
  if (!claimsAllow(kind, file)) {
    throw unsupportedMediaType({
      message: `The content of "${field}" is ${kind}; its declared type or its name's extension says otherwise.`,
    });
  }
  return kind;
}

/** The client's own name of a file: without path parts and control characters, at most 255 characters. */
export function displayName(originalName: string): string {
  const base = originalName.split(/[\\/]/).at(-1) ?? '';
  const visible = [...base.replace(/\p{Cc}/gu, '').toWellFormed()].slice(0, 255).join('');
  return hasVisibleCharacter(visible) ? visible : 'file';
}
