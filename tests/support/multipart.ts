/** A part of a multipart body as it goes out: its header lines, and its bytes. */
export interface RawPart {
  headers: string[];
  content: Buffer | string;
}

const BOUNDARY = 'test-boundary';

export const multipartType = `multipart/form-data; boundary=${BOUNDARY}`;

/** A multipart body byte by byte, for what form libraries do not send. */
export const multipartBody = (...parts: RawPart[]): Buffer =>
  Buffer.concat([
    ...parts.flatMap(({ headers, content }) => [
      Buffer.from(`--${BOUNDARY}\r\n${headers.map((line) => `${line}\r\n`).join('')}\r\n`),
      Buffer.from(content),
      Buffer.from('\r\n'),
    ]),
    Buffer.from(`--${BOUNDARY}--\r\n`),
  ]);

/** A text field or, with a file name, a file; `more` headers follow. */
export const aPart = (name: string, content: Buffer | string, filename?: string, ...more: string[]): RawPart => ({
  headers: [
    `Content-Disposition: form-data; name="${name}"${filename === undefined ? '' : `; filename="${filename}"`}`,
    ...more,
  ],
  content,
});
