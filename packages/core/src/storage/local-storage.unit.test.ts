import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { FileKind, KindOfName } from './file-kinds';
import { localStorage } from './local-storage';

let folder: string;

const newName = (kind: FileKind): string => `${randomUUID()}.${kind}`;
const kindOf: KindOfName = (name) => /^[0-9a-f-]{36}\.(txt|png)$/.exec(name)?.[1] as FileKind | undefined;

beforeEach(async () => {
  folder = path.join(await mkdtemp(path.join(tmpdir(), 'shop-storage-')), 'uploads');
});

afterEach(() => rm(path.dirname(folder), { recursive: true }));

const listed = async (storage: ReturnType<typeof localStorage>): Promise<string[]> => {
  const names: string[] = [];
  for await (const { name } of storage.list()) names.push(name);
  return names;
};

/** The text in five chunks. */
async function* arriving(text: string): AsyncGenerator<Buffer> {
  const size = Math.ceil(text.length / 5);
  for (let at = 0; at < text.length; at += size) yield Buffer.from(text.slice(at, at + size));
}

/** A file that stays in memory, and one that does not. */
const sizes = [5, 100_000];
const textOf = (size: number): string => 'hello'.repeat(size / 5);

const store = async (storage: ReturnType<typeof localStorage>, name: string, text: string): Promise<void> =>
  storage.put(name, await storage.receive(arriving(text)));

const incoming = () => readdir(path.join(folder, '.incoming')).catch(() => []);

test.each(sizes)('creates its folder and stores %i bytes under the name', async (size) => {
  const name = newName('txt');
  await store(localStorage(folder, kindOf), name, textOf(size));
  expect(await readFile(path.join(folder, name), 'utf8')).toBe(textOf(size));
  expect(await incoming()).toEqual([]);
});

test.each(sizes)('never overwrites: of two simultaneous writes of %i bytes, one succeeds completely', async (size) => {
  const storage = localStorage(folder, kindOf);
  const name = newName('txt');
  const texts = [textOf(size), textOf(size).toUpperCase()];
  const outcomes = await Promise.allSettled(texts.map((text) => store(storage, name, text)));
  expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  const winner = outcomes[0]?.status === 'fulfilled' ? texts[0] : texts[1];
  expect(await readFile(path.join(folder, name), 'utf8')).toBe(winner);
  expect(await incoming()).toEqual([]);
});

test('stores many files at once', async () => {
  const storage = localStorage(folder, kindOf);
  const names = Array.from({ length: 50 }, () => newName('txt'));
  await Promise.all(names.map((name) => store(storage, name, name)));
  for (const name of names) expect(await readFile(path.join(folder, name), 'utf8')).toBe(name);
});

test('a small file is on disk only once it is saved, and has the same hash before and after', async () => {
  const hashes = new Set<string>();
  for (const size of sizes) {
    const file = await localStorage(folder, kindOf).receive(arriving(textOf(size)));
    expect(await incoming()).toHaveLength(size > 5 ? 1 : 0);
    const hash = await file.sha256();
    expect(await readFile(await file.save(), 'utf8')).toBe(textOf(size));
    expect(await file.save()).toBe(await file.save());
    expect(await file.sha256()).toBe(hash);
    hashes.add(hash);
    await file.discard();
    expect(await incoming()).toEqual([]);
  }
  expect(hashes.size).toBe(2);
});

test.each(['../x.txt', '/etc/passwd', '', '.', 'a/b.txt', `${randomUUID()}.html`, `${randomUUID()}.txt\0`])(
  'neither writes nor deletes other names: %j',
  async (name) => {
    await expect(store(localStorage(folder, kindOf), name, 'x')).rejects.toThrow('not a stored name');
    expect(await incoming()).toEqual([]);
    await expect(localStorage(folder, kindOf).delete(name)).rejects.toThrow('not a stored name');
  },
);

test('deleting a missing file succeeds', async () => {
  await expect(localStorage(folder, kindOf).delete(newName('txt'))).resolves.toBeUndefined();
});

test('lists stored files and nothing else', async () => {
  const storage = localStorage(folder, kindOf);
  const name = newName('png');
  await store(storage, name, 'x');
  await writeFile(path.join(folder, 'notes.txt'), '');
  expect(await listed(storage)).toEqual([name]);
});

test('deletes incomplete files older than an hour, but none that may still be in progress', async () => {
  const leftover = (name: string) => path.join(folder, '.incoming', name);
  await mkdir(leftover(''), { recursive: true });
  for (const name of ['old', 'new']) await writeFile(leftover(name), 'x');
  const twoHoursAgo = new Date(Date.now() - 7_200_000);
  await utimes(leftover('old'), twoHoursAgo, twoHoursAgo);
  const storage = localStorage(folder, kindOf);
  await store(storage, newName('txt'), 'x');
  expect(await incoming()).toEqual(['new']);
  // A long-running process repeats this.
  await utimes(leftover('new'), twoHoursAgo, twoHoursAgo);
  const now = jest.spyOn(Date, 'now').mockReturnValue(Date.now() + 3_600_000);
  await store(storage, newName('txt'), 'x');
  now.mockRestore();
  expect(await incoming()).toEqual([]);
});

test('fails with storage_unavailable if the folder cannot be used', async () => {
  const file = `${folder}-file`;
  await writeFile(file, '');
  const broken = localStorage(file, kindOf);
  const unavailable = expect.objectContaining({ code: 'storage_unavailable' });
  for (const size of sizes) await expect(store(broken, newName('txt'), textOf(size))).rejects.toEqual(unavailable);
  await expect(listed(broken)).rejects.toEqual(unavailable);
});

test.each(sizes)('keeps nothing of a file cut off after %i bytes, and rethrows the error', async (size) => {
  const disconnected = new Error('the client disconnected');
  async function* incomplete(): AsyncGenerator<Buffer> {
    yield* arriving(textOf(size));
    throw disconnected;
  }
  await expect(localStorage(folder, kindOf).receive(incomplete())).rejects.toBe(disconnected);
  expect(await incoming()).toEqual([]);
});

test.each(sizes)('a file of %i bytes cannot be read before it is put, nor after it is discarded', async (size) => {
  const storage = localStorage(folder, kindOf);
  const file = await storage.receive(arriving(textOf(size)));
  expect(file.size).toBe(size);
  expect(await listed(storage)).toEqual([]);
  await file.discard();
  expect(await incoming()).toEqual([]);
  await expect(storage.put(newName('txt'), file)).rejects.toMatchObject({ code: 'storage_unavailable' });
  expect(await listed(storage)).toEqual([]);
});

test('reads no faster than it can write', async () => {
  let given = 0;
  let writing = 0;
  async function* counted(): AsyncGenerator<Buffer> {
    for (; given < 20; given += 1) {
      writing += 1;
      expect(writing).toBe(1);
      yield Buffer.alloc(100_000);
      writing -= 1;
    }
  }
  const file = await localStorage(folder, kindOf).receive(counted());
  expect(file.size).toBe(2_000_000);
  expect((await stat(await file.save())).size).toBe(2_000_000);
});
