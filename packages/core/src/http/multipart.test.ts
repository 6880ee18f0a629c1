import { type Endpoint, endpoint, nameText, ok } from '@shop/core';
import {
  aPart,
  exampleService,
  multipartBody,
  multipartType,
  type RawPart,
  startApp,
  type TestApp,
} from '@shop/testing';
import { z } from 'zod';

const form = z.strictObject({ name: nameText, note: z.string().optional() });

const endpoints: Endpoint[] = [
  endpoint({
    method: 'post',
    path: '/forms',
    tag: 'forms',
    summary: 'Send',
    access: 'public',
    body: form,
    form,
    upload: { field: 'file', required: false, maxBytes: 10_000 },
    answers: {
      200: z.object({ name: z.string(), note: z.string().optional(), type: z.string().optional(), size: z.int() }),
    },
    handler: async ({ body, file }) => ok({ ...body, type: file?.declaredType, size: file?.bytes.length ?? 0 }),
  }),
];

let app: TestApp;
beforeAll(async () => {
  app = await startApp(exampleService(() => endpoints));
});
afterAll(() => app.close());

const send = (body: Buffer, type = multipartType) => app.http.post('/forms').set('Content-Type', type).send(body);
const sendParts = (...parts: RawPart[]) => send(multipartBody(...parts));
const name = aPart('name', 'x');
const NOT_UTF8 = Buffer.from([0xff, 0xfe]);

describe('the declared type of a file', () => {
  it.each([
    ['nothing where it declares none', [], ''],
    ['what it declares', ['Content-Type: image/png'], 'image/png'],
    ['text where it declares that', ['Content-Type: text/plain'], 'text/plain'],
    ['that, whatever the case of the header', ['content-TYPE:text/plain; charset=utf-8'], 'text/plain'],
  ])('is %s', async (_, headers, type) => {
    for (const parts of [
      [name, aPart('file', 'bytes', 'a.txt', ...headers)],
      [
        aPart('file', 'Content-Type: image/png', 'a.txt', ...headers),
        aPart('name', 'x', undefined, 'Content-Type: text/plain'),
      ],
    ]) {
      const { body } = await sendParts(...parts).expect(200);
      expect(body.type).toBe(type);
    }
  });

  it('is found under any boundary that a client may choose', async () => {
    for (const boundary of ['----WebKitFormBoundary1', "'()+_,-./:=?", 'with space']) {
      const bytes = multipartBody(name, aPart('file', 'bytes', 'a.txt'))
        .toString()
        .replaceAll('test-boundary', boundary);
      const { body } = await send(Buffer.from(bytes), `multipart/form-data; Boundary="${boundary}"`).expect(200);
      expect(body).toMatchObject({ type: '', size: 5 });
    }
  });
});

describe('text in a form', () => {
  it('that is not UTF-8 is 400 and named, beside all else that is wrong', async () => {
    const one = await sendParts(aPart('name', NOT_UTF8)).expect(400);
    expect(one.body).toMatchObject({ code: 'invalid_request' });
    expect(one.body.errors).toEqual([
      { in: 'body', path: 'name', code: 'invalid_format', message: 'must be text in UTF-8' },
    ]);
    const more = await sendParts(
      aPart('note', Buffer.from('caf\xe9', 'latin1'), undefined, 'Content-Type: text/plain; charset=UTF-8'),
      aPart('other', 'x'),
    ).expect(400);
    expect(more.body.errors.map(({ path }: { path: string }) => path).sort()).toEqual(['name', 'note', 'other']);
  });

  it('in a charset that nobody knows is 400 and named', async () => {
    const { body } = await sendParts(
      name,
      aPart('note', 'x', undefined, 'Content-Type: text/plain; charset=klingon'),
    ).expect(400);
    expect(body.errors).toEqual([
      { in: 'body', path: 'note', code: 'invalid_format', message: 'must be text in UTF-8' },
    ]);
  });

  it('survives whole, a replacement character of its own among it', async () => {
    const note = 'zażółć 日本語 😀 \ufffd';
    expect((await sendParts(name, aPart('note', note)).expect(200)).body.note).toBe(note);
  });

  it('may be in another charset that it declares', async () => {
    const latin = aPart('note', NOT_UTF8, undefined, 'Content-Type: text/plain; charset=ISO-8859-1');
    expect((await sendParts(name, latin).expect(200)).body.note).toBe('ÿþ');
  });

  it('beside a file of any bytes is taken', async () => {
    const { body } = await sendParts(aPart('file', NOT_UTF8, 'a.bin', 'Content-Type: image/png'), name).expect(200);
    expect(body).toEqual({ name: 'x', type: 'image/png', size: 2 });
  });
});

it('a form that is mostly what belongs to no part is 413', async () => {
  const padded = Buffer.concat([Buffer.alloc(4 * 1024 * 1024, 'x'), Buffer.from('\r\n'), multipartBody(name)]);
  await send(padded).expect(413);
});

it.each([
  ['breaks off', multipartBody(name).subarray(0, -6), multipartType],
  ['names no boundary', multipartBody(name), 'multipart/form-data'],
  ['has two files', multipartBody(name, aPart('file', 'a', 'a'), aPart('file', 'b', 'b')), multipartType],
])('a form that %s is 400 and says where', async (_, body, type) => {
  const answer = await send(body, type).expect(400);
  expect(answer.body.errors).toEqual([expect.objectContaining({ in: 'body' })]);
});
