import { isMultipart, multipartBoundary } from './multipart-boundary';

const FORM = 'multipart/form-data';

test.each([
  [`${FORM}; boundary=b`, 'b'],
  [`${FORM};boundary=b`, 'b'],
  [`${FORM} ; boundary=b`, 'b'],
  [`${FORM};\tboundary=b`, 'b'],
  [`${FORM}; boundary=b;`, 'b'],
  [`${FORM}; boundary=b ; `, 'b'],
  [`${FORM};; boundary=b;;`, 'b'],
  [`${FORM}; BOUNDARY=b`, 'b'],
  ['MULTIPART/Form-Data; Boundary=B', 'B'],
  [`${FORM}; charset=utf-8; boundary=b`, 'b'],
  [`${FORM}; boundary=b; charset="utf-8; boundary=c"`, 'b'],
  [`${FORM}; boundary="b"`, 'b'],
  [`${FORM}; boundary="with space; and semicolon"`, 'with space; and semicolon'],
  [`${FORM}; boundary="a\\"b\\\\c"`, 'a"b\\c'],
  [`${FORM}; boundary=${'x'.repeat(70)}`, 'x'.repeat(70)],
])('the boundary of %j is %j', (header, boundary) => {
  expect(isMultipart(header)).toBe(true);
  expect(multipartBoundary(header)).toBe(boundary);
});

test.each([
  FORM,
  `${FORM};`,
  `${FORM}; charset=utf-8`,
  `${FORM}; boundary`,
  `${FORM}; boundary=`,
  `${FORM}; boundary= b`,
  `${FORM}; boundary =b`,
  `${FORM}; boundary=""`,
  `${FORM}; boundary="b`,
  `${FORM}; boundary=b"`,
  `${FORM}; boundary="b"x`,
  `${FORM}; boundary=b c`,
  `${FORM}; boundary=b,c`,
  `${FORM}; boundary=----=_Part`,
  `${FORM}; boundary=b; boundary=c`,
  `${FORM}; boundary=b; =c`,
  `${FORM}; boundary="ends with a space "`,
  `${FORM}; boundary="tab\there"`,
  `${FORM}; boundary="\u00e9"`,
  `${FORM}; boundary=${'x'.repeat(71)}`,
])('%j is rejected with a reason', (header) => {
  expect(isMultipart(header)).toBe(true);
  expect(() => multipartBoundary(header)).toThrow(
    expect.objectContaining({
      code: 'malformed_request',
      message: expect.stringMatching(/^The Content-Type header must .+\.$/),
      errors: [expect.objectContaining({ in: 'header', path: 'content-type' })],
    }),
  );
});

test.each([
  undefined,
  '',
  'multipart',
  'multipart/',
  'multipart/mixed; boundary=b',
  `${FORM}x; boundary=b`,
  `${FORM}, a/b`,
  `x${FORM}`,
])('%j is not a form', (header) => {
  expect(isMultipart(header)).toBe(false);
});
