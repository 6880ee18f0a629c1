import { mkdir, mkdtemp, readdir, readFile, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { localStorage } from './local-storage';
import { newStoredName } from './stored-name';

let folder: string;

beforeEach(async () => {
  folder = path.join(await mkdtemp(path.join(tmpdir(), 'shop-storage-')), 'uploads');
});

const listed = async (storage: ReturnType<typeof localStorage>): Promise<string[]> => {
  const names: string[] = [];
  for await (const { name } of storage.list()) names.push(name);
  return names;
};

test('makes its folder and keeps the bytes under the name', async () => {
  const name = newStoredName(7, 'txt');
  await localStorage(folder).put(name, Buffer.from('hello'));
  expect(await readFile(path.join(folder, name), 'utf8')).toBe('hello');
});

test('never overwrites, and of two at once one is kept whole', async () => {
  const storage = localStorage(folder);
  const name = newStoredName(7, 'txt');
  const outcomes = await Promise.allSettled(['one', 'two'].map((text) => storage.put(name, Buffer.from(text))));
  expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  const winner = outcomes[0]?.status === 'fulfilled' ? 'one' : 'two';
  expect(await readFile(path.join(folder, name), 'utf8')).toBe(winner);
  expect(await readdir(path.join(folder, '.incoming'))).toEqual([]);
});

test.each(['../x.txt', '/etc/passwd', '', '.', 'a/b.txt', `1_${'0'.repeat(32)}.html`, `1_${'0'.repeat(32)}.txt\0`])(
  'neither writes nor deletes outside its names: %j',
  async (name) => {
    await expect(localStorage(folder).put(name, Buffer.from('x'))).rejects.toThrow('not a stored name');
    await expect(localStorage(folder).delete(name)).rejects.toThrow('not a stored name');
  },
);

test('deleting what is not there is fine', async () => {
  await expect(localStorage(folder).delete(newStoredName(7, 'txt'))).resolves.toBeUndefined();
});

test('lists stored files and nothing else', async () => {
  const storage = localStorage(folder);
  const name = newStoredName(7, 'png');
  await storage.put(name, Buffer.from('x'));
  await writeFile(path.join(folder, 'notes.txt'), '');
  expect(await listed(storage)).toEqual([name]);
});

test('takes away what a crash left unfinished an hour ago, and nothing that may be in the making', async () => {
  const incoming = path.join(folder, '.incoming');
  await mkdir(incoming, { recursive: true });
  await writeFile(path.join(incoming, 'old'), 'x');
  await writeFile(path.join(incoming, 'new'), 'x');
  const twoHoursAgo = new Date(Date.now() - 7_200_000);
  await utimes(path.join(incoming, 'old'), twoHoursAgo, twoHoursAgo);
  await localStorage(folder).put(newStoredName(7, 'txt'), Buffer.from('x'));
  expect(await readdir(incoming)).toEqual(['new']);
});

test('says storage_unavailable where the folder cannot be used', async () => {
  const file = `${folder}-file`;
  await writeFile(file, '');
  const broken = localStorage(file);
  const unavailable = expect.objectContaining({ code: 'storage_unavailable' });
  await expect(broken.put(newStoredName(7, 'txt'), Buffer.from('x'))).rejects.toEqual(unavailable);
  await expect(listed(broken)).rejects.toEqual(unavailable);
});
