import { unsupportedMediaType } from '../errors';
import { hasVisibleCharacter } from '../text';
import { claimsAllow, type FileClaims } from './file-claims';
import type { FileKind } from './file-kinds';
import { isUtf16, TextCheck, type TextFlaw } from './text-check';

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

/** As many of the first bytes as the checks above need. */
const HEAD_BYTES = 16;

function binaryKind(head: Buffer): FileKind | undefined {
  if (isJpeg(head)) return 'jpg';
  if (isPng(head)) return 'png';
  if (isGif(head)) return 'gif';
  if (isWebp(head)) return 'webp';
  return isPdf(head) ? 'pdf' : undefined;
}

/** Checks a file while its bytes arrive. */
export interface FileInspector {
  /** @throws AppError `unsupported_media_type` as soon as the bytes so far cannot be the start of an accepted file */
  push(chunk: Buffer): void;
  /**
   * @returns what the file is; undefined: it is empty
   * @throws AppError `unsupported_media_type`
   */
  end(): FileKind | undefined;
}

/**
 * Decides by its bytes what an uploaded file is. It must be of an accepted kind, and neither its declared type nor the
 * extension of its name may say that it is something else.
 * @param field names it in errors
 */
export function inspectFile(claims: FileClaims, accepted: readonly FileKind[], field: string): FileInspector {
  let head = Buffer.alloc(0);
  let kind: FileKind | undefined;
  let text: TextCheck | undefined;

  const refuse = (flaw?: TextFlaw): never => {
    throw unsupportedMediaType({
      message: flaw
        ? `The content of "${field}" is ${flaw}. Text must be UTF-8.`
        : `The content of "${field}" must be one of: ${accepted.join(', ')}.`,
    });
  };

  const assertClaims = (is: FileKind): void => {
    if (claimsAllow(is, claims)) return;
    throw unsupportedMediaType({
      message: `The content of "${field}" is ${is}; its declared type or its name's extension says otherwise.`,
    });
  };

  /** Decides by the first bytes, once: `HEAD_BYTES`, or fewer when the file has no more. */
  function decide(): void {
    kind = binaryKind(head);
    if (kind) {
      if (!accepted.includes(kind)) refuse();
      assertClaims(kind);
      return;
    }
    if (!accepted.includes('txt')) refuse();
    if (isUtf16(head)) refuse('text in UTF-16');
    text = new TextCheck(refuse);
    text.push(head);
  }

  return {
    push(chunk) {
      const missing = HEAD_BYTES - head.length;
      if (missing > 0) {
        // A copy, so that the chunk is not kept.
        head = Buffer.concat([head, chunk.subarray(0, missing)]);
        if (head.length === HEAD_BYTES) decide();
      }
      text?.push(chunk.subarray(missing));
    },

    end() {
      if (head.length === 0) return undefined;
      if (head.length < HEAD_BYTES) decide();
      if (text) {
        text.end();
        // Only now is it known to be text.
        kind = 'txt';
        assertClaims(kind);
      }
      return kind;
    },
  };
}

/** The client's own name of a file: without path parts and control characters, at most 255 characters. */
export function displayName(originalName: string): string {
  const base = originalName.split(/[\\/]/).at(-1) ?? '';
  const visible = [...base.replace(/\p{Cc}/gu, '').toWellFormed()].slice(0, 255).join('');
  return hasVisibleCharacter(visible) ? visible : 'file';
}
