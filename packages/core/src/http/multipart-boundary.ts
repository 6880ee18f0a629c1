import { malformedRequest } from '../errors';

/** Whether a Content-Type header is multipart/form-data, with any parameters. */
export const isMultipart = (contentType = ''): boolean => /^\s*multipart\/form-data\s*(;|$)/i.test(contentType);

/** RFC 9110, 5.6.6: name=token or name="quoted string", without spaces around the `=`. May also be empty (`a=b;`). */
const PARAMETER =
  /[ \t]*;[ \t]*(?:(?<name>[\w!#$%&'*+.^`|~-]+)=(?:(?<token>[\w!#$%&'*+.^`|~-]+)|"(?<quoted>(?:[^"\\]|\\.)*)"))?/gy;
/** RFC 2046, 5.1.1, plus the other printable ASCII characters, because some clients use them. */
const BOUNDARY = /^[ -~]{0,69}[!-~]$/;

/** The boundary between the parts of a multipart body. @throws AppError `malformed_request` */
export function multipartBoundary(contentType = ''): string {
  const parameters = /;.*/.exec(contentType.trim())?.[0] ?? '';
  const boundaries: string[] = [];
  let end = 0;
  for (const match of parameters.matchAll(PARAMETER)) {
    end = match.index + match[0].length;
    const { name, token, quoted } = match.groups ?? {};
    if (name?.toLowerCase() === 'boundary') boundaries.push(token ?? quoted?.replace(/\\(.)/g, '$1') ?? '');
  }
  if (end < parameters.length) throw refusal('must have parameters of the form name=value or name="value"');
  const [boundary, ...others] = boundaries;
  if (boundary === undefined) throw refusal('must name a boundary: multipart/form-data; boundary=...');
  if (others.length > 0) throw refusal('must name one boundary');
  if (BOUNDARY.test(boundary)) return boundary;
  throw refusal('must have a boundary of 1 to 70 printable ASCII characters that does not end with a space');
}

const refusal = (message: string) =>
  malformedRequest({
    message: `The Content-Type header ${message}.`,
    errors: [{ in: 'header', path: 'content-type', code: 'invalid_format', message }],
  });
