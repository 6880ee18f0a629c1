import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import http from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type Endpoint, endpoint, nameText, ok } from '@shop/core/http';
import { fileKinds } from '@shop/core/storage';
import {
  aGate,
  aJpeg,
  aPart,
  aPng,
  eventually,
  exampleService,
  exampleTag,
  figure,
  type Gate,
  multipartBody,
  multipartType,
  type RawPart,
  scrape,
  startApp,
  type TestApp,
} from '@shop/testing';
import { z } from 'zod';
import type { Storage } from '../storage';
import { localStorage } from '../storage';

const form = z.strictObject({ name: nameText, note: z.string().optional() });
const MAX_BYTES = 100_000;

const upload = (storage: Pick<Storage, 'receive' | 'put'>, route: string, maxBytes = MAX_BYTES): Endpoint =>
  endpoint({
    method: 'post',
    path: route,
    tag: exampleTag,
    summary: 'Send',
    access: 'public',
    body: form,
    form,
    upload: { field: 'file', required: false, maxBytes, kinds: fileKinds, storage },
    responses: {
      200: z.object({ name: z.string(), note: z.string().optional(), kind: z.string().optional(), size: z.int() }),
    },
    handler: async ({ body, file }) => {
      if (file && body.name === 'keep') await storage.put(`${randomUUID()}.${file.kind}`, file);
      return ok({ ...body, kind: file?.kind, size: file?.size ?? 0 });
    },
  });

/** Reads the first chunk, and no more until the gate opens. */
const slowly = (storage: Storage | ReturnType<typeof localStorage>, gate: Gate): Pick<Storage, 'receive' | 'put'> => ({
  ...storage,
  receive: (content, check) =>
    storage.receive(
      (async function* delayed() {
        for await (const chunk of content) {
          yield chunk;
          await gate.passed;
        }
      })(),
      check,
    ),
});

let app: TestApp;
let folder: string;
let gate: Gate;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'shop-forms-'));
  gate = aGate();
  const storage = localStorage(folder, () => 'txt');
  const endpoints = [upload(storage, '/forms'), upload(slowly(storage, gate), '/slow', 100 * 1024 * 1024)];
  app = await startApp(exampleService(() => endpoints));
});
afterAll(async () => {
  await app.close();
  await rm(folder, { recursive: true });
});

const incoming = () => readdir(path.join(folder, '.incoming')).catch(() => []);
const stored = async () => (await readdir(folder)).filter((name) => name !== '.incoming');

const send = (body: Buffer, type = multipartType) => app.http.post('/forms').set('Content-Type', type).send(body);
const sendParts = (...parts: RawPart[]) => send(multipartBody(...parts));
const name = aPart('name', 'x');
const NOT_UTF8 = Buffer.from([0xff, 0xfe]);

describe('the declared type of a file', () => {
  it.each([
    ['is ignored if absent', [], 200],
    ['is compared with the content', ['Content-Type: image/png'], 200],
    ['is ignored if it is octet-stream', ['Content-Type: application/octet-stream'], 200],
    ['must not contradict the content', ['Content-Type: text/plain'], 415],
    ['is read whatever the case of the header', ['content-TYPE:text/plain; charset=utf-8'], 415],
  ])('%s', async (_, headers, status) => {
    const file = aPart('file', aPng(), 'a.png', ...headers);
    await sendParts(name, file).expect(status);
    await sendParts(file, aPart('name', 'x', undefined, 'Content-Type: text/plain')).expect(status);
  });

  it('is found with any boundary', async () => {
    for (const boundary of ['----WebKitFormBoundary1', "'()+_,-./:=?", 'with space', 'a"b\\c']) {
      const bytes = multipartBody(name, aPart('file', 'bytes', 'a.txt'))
        .toString()
        .replaceAll('test-boundary', boundary);
      const quoted = boundary.replace(/["\\]/g, '\\$&');
      const { body } = await send(Buffer.from(bytes), `multipart/form-data; Boundary="${quoted}"`).expect(200);
      expect(body).toMatchObject({ kind: 'txt', size: 5 });
    }
  });
});

describe('text in a form', () => {
  it('that is not UTF-8 is 400, and its field is reported with all other errors', async () => {
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

  it('in an unknown charset is 400, and its field is reported', async () => {
    const { body } = await sendParts(
      name,
      aPart('note', 'x', undefined, 'Content-Type: text/plain; charset=klingon'),
    ).expect(400);
    expect(body.errors).toEqual([
      { in: 'body', path: 'note', code: 'invalid_format', message: 'must be text in UTF-8' },
    ]);
  });

  it('is unchanged, even if it contains a replacement character', async () => {
    const note = 'zażółć 日本語 😀 \ufffd';
    expect((await sendParts(name, aPart('note', note)).expect(200)).body.note).toBe(note);
  });

  it('may declare another charset', async () => {
    const latin = aPart('note', NOT_UTF8, undefined, 'Content-Type: text/plain; charset=ISO-8859-1');
    expect((await sendParts(name, latin).expect(200)).body.note).toBe('ÿþ');
  });

  it('is accepted next to a binary file', async () => {
    const { body } = await sendParts(aPart('file', aJpeg(), 'a.jpg', 'Content-Type: image/jpeg'), name).expect(200);
    expect(body).toEqual({ name: 'x', kind: 'jpg', size: aJpeg().length });
  });
});

it('a form with megabytes outside its parts is 413', async () => {
  const padded = Buffer.concat([Buffer.alloc(4 * 1024 * 1024, 'x'), Buffer.from('\r\n'), multipartBody(name)]);
  await send(padded).expect(413);
});

it.each([
  ['ends early', multipartBody(name).subarray(0, -6), multipartType],
  ['has two files', multipartBody(name, aPart('file', 'a', 'a'), aPart('file', 'b', 'b')), multipartType],
])('a form that %s is 400 with a body error', async (_, body, type) => {
  const response = await send(body, type).expect(400);
  expect(response.body.errors).toEqual([expect.objectContaining({ in: 'body' })]);
});

describe('the Content-Type header', () => {
  const FORM = 'multipart/form-data';
  it.each([
    [`${FORM}; boundary=test-boundary`, 200],
    [`${FORM}; boundary=test-boundary;`, 200],
    [`${FORM} ; BOUNDARY=test-boundary ; `, 200],
    [`Multipart/Form-Data;Boundary="test-boundary"`, 200],
    [`${FORM}; charset=utf-8; boundary=test-boundary`, 200],
    [FORM, 400],
    [`${FORM};`, 400],
    [`${FORM}; boundary`, 400],
    [`${FORM}; boundary=`, 400],
    [`${FORM}; boundary=""`, 400],
    [`${FORM}; boundary= test-boundary`, 400],
    [`${FORM}; boundary =test-boundary`, 400],
    [`${FORM}; boundary="test-boundary`, 400],
    [`${FORM}; boundary=test-boundary x`, 400],
    [`${FORM}; boundary=test/boundary`, 400],
    [`${FORM}; boundary=test-boundary; boundary=x`, 400],
    [`${FORM}; boundary=${'x'.repeat(71)}`, 400],
    [`${FORM}; boundary=x`, 400],
    [`${FORM}, text/plain; boundary=test-boundary`, 415],
    [`${FORM}x; boundary=test-boundary`, 415],
    [`multipart/mixed; boundary=test-boundary`, 415],
    ['multipart', 415],
    ['multipart/; boundary=test-boundary', 415],
    ['; boundary=test-boundary', 415],
  ])('%j gives %i', async (type, status) => {
    const { body } = await send(multipartBody(name), type).expect(status);
    if (status === 400) expect(body.code).toBe('malformed_request');
  });
});

describe.each([
  ['in memory', 50_000],
  ['on disk', 90_000],
])('a file %s', (_, size) => {
  const file = aPart('file', aPng(size), 'a.png');
  const keep = aPart('name', 'keep');

  it('may come before or after the fields', async () => {
    const before = (await stored()).length;
    for (const parts of [
      [keep, file],
      [file, keep],
    ]) {
      const { body } = await sendParts(...parts).expect(200);
      expect(body).toEqual({ name: 'keep', kind: 'png', size });
    }
    expect(await stored()).toHaveLength(before + 2);
    expect(await incoming()).toEqual([]);
  });

  it.each([
    ['its use case does not store it', 200, [name, file]],
    ['a field is invalid', 400, [file, aPart('name', '')]],
    ['a field is not UTF-8', 400, [file, aPart('name', NOT_UTF8)]],
    ['a field is unknown', 400, [file, keep, aPart('other', 'x')]],
    ['a field is too large', 413, [file, aPart('name', 'x'.repeat(200_000))]],
    ['there are too many fields', 400, [file, ...Array.from({ length: 25 }, () => name)]],
    ['a second file follows', 400, [file, keep, file]],
    ['it is empty', 400, [aPart('file', '', 'a.png'), keep]],
    ['it is in another field', 400, [aPart('image', aPng(), 'a.png'), keep]],
    ['it is too large', 413, [aPart('file', aPng(MAX_BYTES + 1), 'a.png'), keep]],
    ['it is of another kind', 415, [aPart('file', Buffer.from('504b0304140000000800', 'hex'), 'a'), keep]],
    ['its text ends with markup', 415, [aPart('file', `${'x'.repeat(90_000)}<script>`, 'a.txt'), keep]],
    ['its name contradicts it', 415, [aPart('file', aPng(), 'a.gif'), keep]],
  ])('is not kept when %s', async (_case, status, parts) => {
    const before = await stored();
    await sendParts(...parts).expect(status);
    expect(await stored()).toEqual(before);
    expect(await incoming()).toEqual([]);
  });
});

describe('a file', () => {
  const file = aPart('file', aPng(90_000), 'a.png');
  const keep = aPart('name', 'keep');

  it('that is empty is reported with all other errors', async () => {
    const { body } = await sendParts(aPart('file', '', 'a.png'), aPart('name', '')).expect(400);
    expect(body.errors.map(({ path: where }: { path: string }) => where).sort()).toEqual(['file', 'name']);
  });

  it.each(['in its file', 'after its file'])('is not kept when the client disconnects %s', async (where) => {
    const before = { stored: await stored(), refused: await outcomes('refused'), failed: await outcomes('failed') };
    const body = multipartBody(file, keep);
    const start = body.subarray(0, where === 'in its file' ? 80_000 : body.length - 20);
    const request = openRequest('/forms', body.length);
    request.write(start);
    await eventually('the file to arrive', async () => (await incoming()).length === 1);
    request.destroy();
    await eventually('the file to be deleted', async () => (await incoming()).length === 0);
    expect(await stored()).toEqual(before.stored);
    // The client disconnected: the storage did not fail.
    await eventually('the upload to be counted', async () => (await outcomes('refused')) === before.refused + 1);
    expect(await outcomes('failed')).toBe(before.failed);
  });

  it('is read no faster than it is stored', async () => {
    const size = 64 * 1024 * 1024;
    const head = multipartBody(name).toString().replace('--test-boundary--\r\n', '');
    const body = `${head}--test-boundary\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\n`;
    const request = openRequest('/slow', body.length + size);
    let sent = 0;
    request.write(Buffer.concat([Buffer.from(body), aPng()]));
    const sending = (async () => {
      while (sent < size) sent += await write(request, Buffer.alloc(1024 * 1024));
    })().catch(() => undefined);
    await eventually('the client to be blocked', () => standsStill(() => sent));
    expect(sent).toBeLessThan(size / 2);
    request.destroy();
    gate.open();
    await sending;
    await eventually('the file to be deleted', async () => (await incoming()).length === 0);
  });
});

const outcomes = async (outcome: string) => figure(await scrape(app.url), 'uploads_total', { outcome }) ?? 0;

function openRequest(route: string, length: number): http.ClientRequest {
  const headers = { 'Content-Type': multipartType, 'Content-Length': length };
  return http.request(app.url + route, { method: 'POST', headers }).on('error', () => undefined);
}

/** @returns the number of bytes sent */
async function write(request: http.ClientRequest, bytes: Buffer): Promise<number> {
  if (!request.write(bytes)) await Promise.race([once(request, 'drain'), once(request, 'close')]);
  if (request.destroyed) throw new Error('the request was ended');
  return bytes.length;
}

/** Whether a value does not change for half a second. */
async function standsStill(value: () => number): Promise<boolean> {
  const before = value();
  for (let i = 0; i < 10; i += 1) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    if (value() !== before) return false;
  }
  return before > 0;
}
