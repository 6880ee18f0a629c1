const HEAD_END = '\r\n\r\n';
/** Multer rejects a part whose headers are larger than 16 KiB. */
const MAX_HEAD_BYTES = 32 * 1024;

/**
 * Observes a multipart body for what multer does not report: whether the file has a declared type (multer reports text/plain
 * if it has none), and which texts are not UTF-8 (multer replaces invalid bytes with U+FFFD). Buffers at most the headers of
 * one part, or as many bytes as a delimiter has.
 */
export class PartWatch {
  /** Whether the most recent file has a Content-Type. */
  fileHasType = false;
  private readonly broken = new Set<string>();
  private readonly delimiter: Buffer;
  /** Bytes not processed yet. Starts with a line break, because the first delimiter need not follow one. */
  private rest: Buffer = Buffer.from('\r\n');
  /** What the next bytes belong to. `skipped`: anything but headers and text. */
  private state: 'head' | 'text' | 'skipped' | 'end' = 'skipped';
  private text = { name: '', decoder: strictUtf8() };

  constructor(boundary: string) {
    this.delimiter = Buffer.from(`\r\n--${boundary}`);
  }

  /** The names of the text fields so far that are not valid UTF-8 but should be. */
  brokenTexts(): string[] {
    return [...this.broken];
  }

  push(chunk: Buffer): void {
    if (this.state === 'end') return;
    if (this.state === 'skipped' && !this.delimiterIn(chunk)) {
      this.rest = lastBytes(this.delimiter.length, this.rest, chunk);
      return;
    }
    this.rest = Buffer.concat([this.rest, chunk]);
    while (this.state === 'head' ? this.readHead() : this.readContent());
  }

  /** Whether a delimiter ends in this chunk. Copies little, because most chunks are file content. */
  private delimiterIn(chunk: Buffer): boolean {
    const seam = Buffer.concat([this.rest, chunk.subarray(0, this.delimiter.length)]);
    return seam.includes(this.delimiter) || chunk.includes(this.delimiter);
  }

  /** Reads the headers after a delimiter. @returns whether there may be more to read */
  private readHead(): boolean {
    if (this.rest.length < 2) return false;
    const lineEnd = this.rest.toString('latin1', 0, 2);
    const end = this.rest.indexOf(HEAD_END);
    if (lineEnd === '--' || (end < 0 && this.rest.length > MAX_HEAD_BYTES)) {
      this.state = 'end';
      this.rest = Buffer.alloc(0);
      return false;
    }
    if (lineEnd !== '\r\n') {
      this.state = 'skipped';
      return true;
    }
    if (end < 0) return false;
    this.startPart(this.rest.toString('latin1', 0, end));
    this.rest = this.rest.subarray(end + HEAD_END.length);
    return true;
  }

  /** @param head the part's header lines, one character per byte */
  private startPart(head: string): void {
    if (/^content-disposition:.*;\s*filename\*?=/im.test(head)) {
      this.fileHasType = /^content-type:/im.test(head);
      this.state = 'skipped';
      return;
    }
    // A part may declare another charset, which multer decodes.
    const charset = /^content-type:.*;\s*charset="?([^\s;"]+)/im.exec(head)?.[1] ?? 'utf-8';
    this.text = { name: nameIn(head), decoder: strictUtf8() };
    this.state = this.text.name && /^utf-?8$/i.test(charset) ? 'text' : 'skipped';
  }

  /** Reads up to the next delimiter. @returns whether it was found */
  private readContent(): boolean {
    const end = this.rest.indexOf(this.delimiter);
    const found = end >= 0;
    const contentEnd = found ? end : Math.max(0, this.rest.length - this.delimiter.length + 1);
    if (this.state === 'text') this.checkText(this.rest.subarray(0, contentEnd), found);
    this.rest = this.rest.subarray(found ? end + this.delimiter.length : contentEnd);
    if (found) this.state = 'head';
    return found;
  }

  private checkText(bytes: Buffer, isLast: boolean): void {
    try {
      this.text.decoder.decode(bytes, { stream: !isLast });
    } catch {
      this.broken.add(this.text.name);
      this.state = 'skipped';
    }
  }
}

/** Returns a copy, so that the chunk can be garbage-collected. */
const lastBytes = (length: number, rest: Buffer, chunk: Buffer): Buffer =>
  Buffer.from(Buffer.concat([rest, chunk.subarray(-length)]).subarray(-length));

const strictUtf8 = () => new TextDecoder('utf-8', { fatal: true });

function nameIn(head: string): string {
  const name = /[;\s]name=(?:"([^"]*)"|([^\s;]+))/i.exec(head);
  return Buffer.from(name?.[1] ?? name?.[2] ?? '', 'latin1').toString();
}
