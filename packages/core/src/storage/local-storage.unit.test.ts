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

/** The text as a stream of single bytes. */
async function* arriving(text: string): AsyncGenerator<Buffer> {
  for (const byte of Buffer.from(text)) yield Buffer.of(byte);
}

const store = async (storage: ReturnType<typeof localStorage>, name: string, text: string): Promise<void> =>
  storage.put(name, await storage.receive(arriving(text)));

const incoming = () => readdir(path.join(folder, '.incoming'));

test('creates its folder and stores the bytes under the name', async () => {
  const name = newName('txt');
  await store(localStorage(folder, kindOf), name, 'hello');
  expect(await readFile(path.join(folder, name), 'utf8')).toBe('hello');
});

test('never overwrites: of two simultaneous writes, one succeeds completely', async () => {
  const storage = localStorage(folder, kindOf);
  const name = newName('txt');
  const outcomes = await Promise.allSettled(['one', 'two'].map((text) => store(storage, name, text)));
  expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  const winner = outcomes[0]?.status === 'fulfilled' ? 'one' : 'two';
  expect(await readFile(path.join(folder, name), 'utf8')).toBe(winner);
  expect(await incoming()).toEqual([]);
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
  await expect(broken.receive(arriving('x'))).rejects.toEqual(unavailable);
  await expect(listed(broken)).rejects.toEqual(unavailable);
});

test('keeps nothing of an incomplete file, and rethrows the error', async () => {
  const disconnected = new Error('the client disconnected');
  async function* incomplete(): AsyncGenerator<Buffer> {
    yield Buffer.from('half');
    throw disconnected;
  }
  await expect(localStorage(folder, kindOf).receive(incomplete())).rejects.toBe(disconnected);
  expect(await incoming()).toEqual([]);
});

test('a file cannot be read before it is put, nor after it is discarded', async () => {
  const storage = localStorage(folder, kindOf);
  const file = await storage.receive(arriving('hello'));
  expect(file.size).toBe(5);
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
  expect((await stat(file.path)).size).toBe(2_000_000);
});
