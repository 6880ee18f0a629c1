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
/** SOI, then a marker: FF and a byte that is neither padding nor a restart marker. */
const isJpeg = (bytes: Buffer): boolean =>
  startsWith(bytes, '\xff\xd8\xff') && (bytes[3] ?? 0) >= 0xc0 && bytes[3] !== 0xff;

/** The number of leading bytes that the checks above need. */
const HEAD_BYTES = 16;

function binaryKind(head: Buffer): FileKind | undefined {
  if (isJpeg(head)) return 'jpg';
  if (isPng(head)) return 'png';
  if (isGif(head)) return 'gif';
  if (isWebp(head)) return 'webp';
  return isPdf(head) ? 'pdf' : undefined;
}

/** Checks a file while its bytes arrive. */
interface FileInspector {
  /** @throws AppError `unsupported_media_type` once the bytes so far cannot be the start of an accepted file */
  push(chunk: Buffer): void;
  /** @returns the kind of the file, undefined if it is empty @throws AppError `unsupported_media_type` */
  end(): FileKind | undefined;
}

/**
 * Detects the kind of an uploaded file from its bytes. The kind must be accepted, and neither the declared type nor the
 * extension may contradict it.
 * @param field the name of the field, for error messages
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

  const assertClaims = (detected: FileKind): void => {
    if (claimsAllow(detected, claims)) return;
    throw unsupportedMediaType({
      message: `The content of "${field}" is ${detected}; its declared type or its name's extension says otherwise.`,
    });
  };

  /** Called once, with the first `HEAD_BYTES` bytes, or with all bytes of a smaller file. */
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
        // Copies the bytes, so that the chunk can be garbage-collected.
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
        // Only after the last byte is it known to be text.
        kind = 'txt';
        assertClaims(kind);
      }
      return kind;
    },
  };
}

/** The client's name for a file, without path and control characters, at most 255 characters. */
export function displayName(originalName: string): string {
  const base = originalName.split(/[\\/]/).at(-1) ?? '';
  const visible = [...base.replace(/\p{Cc}/gu, '').toWellFormed()].slice(0, 255).join('');
  return hasVisibleCharacter(visible) ? visible : 'file';
}
