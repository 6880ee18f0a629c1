import type { Random } from '@shop/test-servers';
import type { Operation } from './operations';
import type { RequestParts } from './request';

export interface MalformedRequest {
  what: string;
  parts: RequestParts;
}

const JSON_TYPE = 'application/json';

type Bytes = (random: Random) => Buffer;
const always =
  (text: string): Bytes =>
  () =>
    Buffer.from(text);

const BODIES: [what: string, bytes: Bytes, type: string | undefined][] = [
  ['an array', always('[]'), JSON_TYPE],
  ['null', always('null'), JSON_TYPE],
  ['truncated JSON', always('{"name":"x"'), JSON_TYPE],
  ['two values', always('{}{}'), JSON_TYPE],
  ['not JSON', always('name=x'), JSON_TYPE],
  ['a byte order mark', always('\ufeff{}'), JSON_TYPE],
  ['a prototype', always('{"__proto__":{"role":"admin"},"constructor":1}'), JSON_TYPE],
  ['endless nesting', always('['.repeat(40_000)), JSON_TYPE],
  ['nested objects', always(`${'{"a":'.repeat(5000)}1${'}'.repeat(5000)}`), JSON_TYPE],
  ['a big body', always(JSON.stringify({ name: 'x'.repeat(150_000) })), JSON_TYPE],
  ['a big number', always('{"price":1e400,"stock":-1e400,"address_id":1e400,"user_id":1e400}'), JSON_TYPE],
  ['invalid UTF-8', () => Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]), JSON_TYPE],
  ['random bytes', (random) => Buffer.from(Array.from({ length: 40 }, () => random.integer(0, 255))), JSON_TYPE],
  ['XML', always('<name/>'), 'application/xml'],
  ['an HTML form', always('name=x'), 'application/x-www-form-urlencoded'],
  ['no media type', always('{}'), undefined],
  ['an invalid media type', always('{}'), 'json/;;=,'],
  ['an unknown charset', always('{"name":"x"}'), 'application/json; charset=klingon'],
  ['another charset', always('{"name":"x"}'), 'application/json; charset=utf-7'],
  ['a form without a boundary', always('x'), 'multipart/form-data'],
  ['a form with a blank in its boundary', always('-- b\r\n\r\nx\r\n-- b--'), 'multipart/form-data; boundary= b'],
  [
    'a truncated form',
    always('--b\r\nContent-Disposition: form-data; name="name"\r\n\r\nhalf'),
    'multipart/form-data; boundary=b',
  ],
  [
    'a form with two files',
    always(
      ['file', 'image', 'file', 'other']
        .map((name) => `--b\r\nContent-Disposition: form-data; name="${name}"; filename="a.txt"\r\n\r\nx\r\n`)
        .join('')
        .concat('--b--\r\n'),
    ),
    'multipart/form-data; boundary=b',
  ],
  [
    'a form with many fields',
    always(
      Array.from({ length: 40 }, (_, n) => `--b\r\nContent-Disposition: form-data; name="f${n}"\r\n\r\nx\r\n`)
        .join('')
        .concat('--b--\r\n'),
    ),
    'multipart/form-data; boundary=b',
  ],
  [
    'a form with nested names',
    always('--b\r\nContent-Disposition: form-data; name="name[a][b]"\r\n\r\nx\r\n--b--\r\n'),
    'multipart/form-data; boundary=b',
  ],
];

const PATH_VALUES = [
  '%ZZ',
  '%',
  '%00',
  '%ff',
  '1%2f2',
  "1'--",
  '1;drop',
  '01',
  '1.0',
  '+1',
  'NaN',
  '[]',
  '%F0%9F%98%80',
];
const LONG_PATH_VALUES = ['1'.repeat(9000), 'x'.repeat(20_000)];

const QUERIES: Record<string, string[]>[] = [
  { 'page[]': ['0'] },
  { __proto__: ['1'], constructor: ['1'] },
  { page: ['%'] },
  { search: ['%ZZ'] },
  { search: ['%ff'] },
  { limit: ['1', '1', '1'] },
  { unknown: ['x'.repeat(9000)] },
];

const HEADERS: Record<string, string>[] = [
  { authorization: 'Bearer x' },
  { authorization: 'Basic YTpi' },
  { authorization: 'Bearer a.b.c' },
  { cookie: 'access_token=a.b.c; =; ;;' },
  { cookie: 'access_token=a.b.c', authorization: '', origin: 'http://elsewhere.example' },
  { 'x-request-id': 'two words and more than that' },
  { accept: ';;;', 'accept-encoding': 'x' },
  { expect: 'a-miracle' },
  { 'if-match': '"x"', 'if-none-match': '*', 'if-modified-since': 'never' },
  { range: 'bytes=9999999-' },
  { range: 'bytes=5-1,x' },
  { 'content-encoding': 'zstd-ish' },
  { 'x-forwarded-for': '; drop', forwarded: 'for=;;' },
  { 'x-large': 'x'.repeat(20_000) },
];

/** `valid` with one part malformed in a way that no schema describes. */
export function malformedRequest(
  { parameters, method }: Operation,
  valid: RequestParts,
  random: Random,
): MalformedRequest {
  const pathParameter = parameters.find((parameter) => parameter.in === 'path')?.name;
  const part = random.pick(['body', 'body', 'header', 'query', ...(pathParameter ? ['path'] : [])]);
  if (part === 'path' && pathParameter) {
    const value = random.pick(random.chance(0.1) ? LONG_PATH_VALUES : PATH_VALUES);
    return {
      what: `path ${value.slice(0, 20)}`,
      parts: { ...valid, params: { ...valid.params, [pathParameter]: value } },
    };
  }
  if (part === 'query') {
    const query = random.pick(QUERIES);
    return { what: `query ${Object.keys(query).join()}`, parts: { ...valid, query: { ...valid.query, ...query } } };
  }
  if (part === 'header' || method === 'GET') {
    const headers = random.pick(HEADERS);
    return {
      what: `header ${Object.keys(headers).join()}`,
      parts: { ...valid, headers: { ...valid.headers, ...headers } },
    };
  }
  const [what, bytes, type] = random.pick(BODIES);
  return { what: `body: ${what}`, parts: { ...valid, body: { kind: 'raw', type, bytes: bytes(random) } } };
}
