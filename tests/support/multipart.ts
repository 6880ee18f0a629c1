/** A part of a multipart body as it is sent: header lines and content. */
export interface RawPart {
  headers: string[];
  content: Buffer | string;
}

const BOUNDARY = 'test-boundary';

export const multipartType = `multipart/form-data; boundary=${BOUNDARY}`;

/** A raw multipart body, for cases that form libraries cannot send. */
export const multipartBody = (...parts: RawPart[]): Buffer =>
  Buffer.concat([
    ...parts.flatMap(({ headers, content }) => [
      Buffer.from(`--${BOUNDARY}\r\n${headers.map((line) => `${line}\r\n`).join('')}\r\n`),
      Buffer.from(content),
      Buffer.from('\r\n'),
    ]),
    Buffer.from(`--${BOUNDARY}--\r\n`),
  ]);

/** A text field or, with `filename`, a file. `more` are additional header lines. */
export const aPart = (name: string, content: Buffer | string, filename?: string, ...more: string[]): RawPart => ({
  headers: [
    `Content-Disposition: form-data; name="${name}"${filename === undefined ? '' : `; filename="${filename}"`}`,
    ...more,
  ],
  content,
});
