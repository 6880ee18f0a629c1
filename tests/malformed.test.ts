import type { Endpoint } from '@shop/core/http';
import { problemsOfFieldErrors } from '@shop/fuzz';
import { serviceNames } from '@shop/shop';
import { aUser, type TestUser } from '@shop/testing';
import { startNamed } from './support/all-services';

/**
 * Malformed requests for every declared endpoint, generated from the declarations: each gets a 4xx problem+json that
 * reveals no internals, and the services stay healthy.
 */

interface Malformed {
  title: string;
  method: string;
  path: string;
  headers: Record<string, string>;
  body?: string;
}

const JSON_TYPE = { 'content-type': 'application/json' };
const LEAKS =
  /select |insert |update |delete from|where |mysql|mariadb|redis|ioredis|\bat .*\(|node_modules|\/src\/|\/dist\/|\.ts:|\.js:|errno|sqlstate/i;

const BAD_IDS = [
  '0',
  '-1',
  'abc',
  '1.5',
  '1e3',
  '%00',
  '%ZZ',
  '99999999999999999999',
  "1'--",
  '1;drop',
  '١',
  'null',
  '[]',
  '1%2f2',
];
const BAD_BODIES: [title: string, body: string, headers: Record<string, string>][] = [
  ['no body', '', JSON_TYPE],
  ['an array', '[]', JSON_TYPE],
  ['a string', '"x"', JSON_TYPE],
  ['null', 'null', JSON_TYPE],
  ['a number', '1', JSON_TYPE],
  ['an unknown field', '{"unexpected":1}', JSON_TYPE],
  ['a prototype', '{"__proto__":{"role":"admin"}}', JSON_TYPE],
  ['truncated', '{"name":"x"', JSON_TYPE],
  ['not JSON', 'name=x', JSON_TYPE],
  ['deeply nested', '['.repeat(40_000), JSON_TYPE],
  ['too large', JSON.stringify({ name: 'x'.repeat(150_000) }), JSON_TYPE],
  ['another type', '<name/>', { 'content-type': 'application/xml' }],
  ['a form', 'name=x', { 'content-type': 'application/x-www-form-urlencoded' }],
  ['an unknown charset', '{"name":"x"}', { 'content-type': 'application/json; charset=klingon' }],
  ['an unknown encoding', '{"name":"x"}', { ...JSON_TYPE, 'content-encoding': 'zstd-ish' }],
  ['multipart without a boundary', 'x', { 'content-type': 'multipart/form-data' }],
  [
    'multipart that breaks off',
    '--b\r\nContent-Disposition: form-data; name="x"\r\n\r\nhalf',
    { 'content-type': 'multipart/form-data; boundary=b' },
  ],
];
/** Also refused by endpoints that declare no body. */
const BAD_WHERE_NONE = new Set(['an array', 'an unknown field', 'a prototype', 'truncated', 'not JSON', 'too large']);
/** Invalid for every field. */
const BAD_VALUES = [{}, [[]], [{ a: 1 }], true, 'a\0b', '\ud800'];
const BAD_QUERY_VALUES = ['%00', 'a&limit=0', '1e9&page=x', '[]', '-5', '9'.repeat(30)];

function malformedFor(endpoint: Endpoint, admin: TestUser): Malformed[] {
  const auth = { authorization: `Bearer ${admin.token}` };
  const base = endpoint.path.replace(':id', '1').replace(':filename', 'x.png');
  const method = endpoint.method.toUpperCase();
  const label = `${method} ${endpoint.path}`;
  const requests: Malformed[] = [];
  if (endpoint.path.includes(':id')) {
    for (const bad of BAD_IDS) {
      requests.push({
        title: `${label} with id ${bad}`,
        method,
        path: endpoint.path.replace(':id', bad),
        headers: auth,
      });
    }
  }
  if (endpoint.body) {
    for (const [title, body, headers] of BAD_BODIES) {
      // An optional body may be absent.
      if (body === '' && endpoint.body.safeParse(undefined).success) continue;
      requests.push({ title: `${label} with ${title}`, method, path: base, headers: { ...auth, ...headers }, body });
    }
    for (const [index, value] of BAD_VALUES.entries()) {
      const body = JSON.stringify(Object.fromEntries(Object.keys(shapeOf(endpoint.body)).map((key) => [key, value])));
      if (body === '{}') continue;
      requests.push({
        title: `${label} with bad values ${index}`,
        method,
        path: base,
        headers: { ...auth, ...JSON_TYPE },
        body,
      });
    }
  }
  if (!endpoint.body && endpoint.method !== 'get') {
    for (const [title, body, headers] of BAD_BODIES.filter(([title]) => BAD_WHERE_NONE.has(title))) {
      requests.push({ title: `${label} with ${title}`, method, path: base, headers: { ...auth, ...headers }, body });
    }
  }
  if (endpoint.query) {
    const numeric = Object.keys(shapeOf(endpoint.query)).filter(
      (key) => !['search', 'label', 'city', 'postal_code'].includes(key),
    );
    for (const bad of BAD_QUERY_VALUES) {
      requests.push({
        title: `${label}?${numeric[0]}=${bad}`,
        method,
        path: `${base}?${numeric[0]}=${bad}`,
        headers: auth,
      });
    }
  }
  if (endpoint.access !== 'public') {
    for (const authorization of ['Bearer', 'Bearer x', 'Bearer a.b.c', 'Basic YTpi', `Bearer ${admin.token}x`]) {
      requests.push({
        title: `${label} with ${authorization.slice(0, 14)}`,
        method,
        path: base,
        headers: { authorization },
      });
    }
  }
  requests.push({ title: `TRACE ${endpoint.path}`, method: 'LOCK', path: base, headers: auth });
  return requests;
}

function shapeOf(schema: object): Record<string, unknown> {
  return 'shape' in schema ? (schema.shape as Record<string, unknown>) : {};
}

// Hundreds of requests, also on a slow machine.

test.each(serviceNames)('%s refuses malformed requests to each endpoint and stays healthy', async (name) => {
  const app = await startNamed(name);
  try {
    const admin = await aUser({ role: 'admin' });
    const wrong: string[] = [];
    const requests = app.endpoints.flatMap((endpoint) => malformedFor(endpoint, admin));
    for (const request of requests) {
      const response = await fetch(`${app.url}${request.path}`, {
        method: request.method,
        headers: request.headers,
        ...(request.body ? { body: request.body } : {}),
      });
      const text = await response.text();
      const type = response.headers.get('content-type') ?? '';
      const fits = response.status >= 400 && response.status < 500 && type.startsWith('application/problem+json');
      const placed = response.status !== 400 || problemsOfFieldErrors(JSON.parse(text).errors ?? []).length === 0;
      if (!fits || !placed || LEAKS.test(text))
        wrong.push(`${request.title}: ${response.status} ${type} ${text.slice(0, 200)}`);
    }
    expect(wrong).toEqual([]);
    expect(requests.length).toBeGreaterThanOrEqual(40);
    for (const probe of ['/health', '/ready']) expect((await fetch(app.url + probe)).status).toBe(200);
  } finally {
    await app.close();
  }
});
