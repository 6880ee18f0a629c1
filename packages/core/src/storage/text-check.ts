export type TextFlaw = 'text in UTF-16' | 'text that is not UTF-8';

/** Control characters other than tab, line feed, form feed and carriage return. */
const CONTROL = /[^\P{Cc}\t\n\f\r\u0080-\u009f]/u;
/** A document that starts with a tag, declaration or processing instruction, or a script that names its interpreter. */
const MARKUP_START = /^(<[a-z/!?%]|#!|@echo off)/i;
const MARKUP_START_LENGTH = '@echo off'.length;
/** Anywhere in a text, these make it HTML, SVG, XML, PHP or the like. */
const MARKUP =
  /<(!doctype|!entity|!\[cdata\[|\?xml|\?php|\?=|\/?([a-z]{1,20}:)?(html|head|body|script|svg|math|iframe|frame|object|embed|applet|form|style|link|meta|base|img|video|audio)(?=[\s/>]))/i;
/** The length of the longest match of MARKUP, including the character that must follow it. */
const MARKUP_LENGTH = '</:script>'.length + 20;

/**
 * Checks whether a stream of bytes is plain text: UTF-8 without control characters and markup. The result does not depend on
 * the chunk sizes. Buffers only a few characters.
 */
export class TextCheck {
  private readonly decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  /** The first characters, without leading white space, and with one space for each run of white space. */
  private start = '';
  /** The last characters, which may contain the start of markup. */
  private tail = '';

  /** @param refuse must throw */
  constructor(private readonly refuse: (flaw?: TextFlaw) => never) {}

  push(chunk: Buffer): void {
    this.check(this.decode(chunk));
  }

  end(): void {
    // Throws if the last character is incomplete.
    this.decode();
  }

  private decode(chunk?: Buffer): string {
    try {
      return chunk ? this.decoder.decode(chunk, { stream: true }) : this.decoder.decode();
    } catch {
      // Binary data contains control characters. Then the encoding is not the problem.
      return this.refuse(chunk && CONTROL.test(chunk.toString('latin1')) ? undefined : 'text that is not UTF-8');
    }
  }

  private check(text: string): void {
    if (this.start.length < MARKUP_START_LENGTH) {
      this.start = `${this.start}${text}`.replace(/\s+/g, ' ').trimStart().slice(0, MARKUP_START_LENGTH);
    }
    const context = this.tail + text;
    // Copies the characters, because a slice keeps the whole string in memory.
    this.tail = Buffer.from(context.slice(1 - MARKUP_LENGTH), 'utf16le').toString('utf16le');
    if (CONTROL.test(text) || MARKUP_START.test(this.start) || MARKUP.test(context)) this.refuse();
  }
}

/** Detects UTF-16 by its byte order mark, or because every second byte at the start is NUL. */
export function isUtf16(head: Buffer): boolean {
  const bom = head.toString('hex', 0, 2);
  if (bom === 'fffe' || bom === 'feff') return true;
  const nulAt = (remainder: number) => [...head].every((byte, index) => (byte === 0) === (index % 2 === remainder));
  return head.length >= 4 && (nulAt(0) || nulAt(1));
}
