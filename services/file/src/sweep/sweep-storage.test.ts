import { mkdtemp, readdir, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { storageSettings } from '@shop/core/storage';
import { createUploadStorage, newStoredName } from '@shop/shop';
import { aProduct, aUser, S3_KEYS, startApp, startS3Server, type TestApp, write } from '@shop/testing';
import { fileService } from '../service';
import { sweepStorage } from './sweep-storage';

const TWO_DAYS_AGO = new Date(Date.now() - 2 * 86_400_000);
let app: TestApp;

beforeAll(async () => {
  app = await startApp(fileService);
});
afterAll(() => app.close());

/** Stored names referenced by an upload, by a product, and by nothing. */
async function someNames(): Promise<{ upload: string; image: string; orphan: string }> {
  const { id } = await aUser();
  const names = { upload: newStoredName(id, 'txt'), image: newStoredName(id, 'png'), orphan: newStoredName(id, 'gif') };
  await write(
    "INSERT INTO files (user_id, stored_name, original_name, content_type, size_bytes) VALUES (?, ?, 'a', 'text/plain', 1)",
    [id, names.upload],
  );
  await write('UPDATE products SET image = ? WHERE id = ?', [names.image, (await aProduct()).id]);
  return names;
}

const sweepOf = (settings: object) => {
  const { db, logger } = app.resources;
  const storage = createUploadStorage(storageSettings.parse(settings), { logger });
  return (options: { remove: boolean }) => sweepStorage({ db, storage }, options);
};

test('finds unreferenced files older than a day, and deletes them only when asked to', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'shop-sweep-'));
  const { upload, image, orphan } = await someNames();
  const young = newStoredName(1, 'png');
  for (const name of [upload, image, orphan, young, 'notes.txt']) await writeFile(path.join(folder, name), 'x');
  for (const name of [upload, image, orphan, 'notes.txt'])
    await utimes(path.join(folder, name), TWO_DAYS_AGO, TWO_DAYS_AGO);
  const sweep = sweepOf({ UPLOAD_PATH: folder });
  expect(await sweep({ remove: false })).toEqual({ seen: 4, orphans: [orphan] });
  expect(await readdir(folder)).toHaveLength(5);
  expect(await sweep({ remove: true })).toEqual({ seen: 4, orphans: [orphan] });
  expect((await readdir(folder)).sort()).toEqual([upload, image, young, 'notes.txt'].sort());
});

test('does the same in a bucket, over all its pages', async () => {
  const s3 = await startS3Server();
  try {
    const { upload, image, orphan } = await someNames();
    const object = { bytes: Buffer.from('x'), contentType: '', modified: TWO_DAYS_AGO };
    for (const name of [upload, image, orphan, newStoredName(1, 'png'), 'notes.txt'])
      s3.objects.set(name, { ...object });
    const young = newStoredName(1, 'png');
    s3.objects.set(young, { ...object, modified: new Date() });
    const sweep = sweepOf({
      S3_BUCKET: s3.bucket,
      S3_ENDPOINT: s3.endpoint,
      S3_ACCESS_KEY_ID: S3_KEYS.accessKeyId,
      S3_SECRET_ACCESS_KEY: S3_KEYS.secretAccessKey,
    });
    const { seen, orphans } = await sweep({ remove: true });
    expect(seen).toBe(5);
    expect(orphans).toHaveLength(2);
    expect([...s3.objects.keys()].sort()).toEqual([upload, image, young, 'notes.txt'].sort());
  } finally {
    await s3.close();
  }
});
