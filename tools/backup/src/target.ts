import { createHash } from 'node:crypto';
import { mkdir, open, readdir, rename, rm, rmdir, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Readable } from 'node:stream';
import type { Logger } from '@shop/core/log';
import { createBucket, incomingFolder, syncFolder } from '@shop/core/storage';
import { BackupError } from './errors';
import type { Settings } from './settings';

/** Of the stored bytes, so that they can be checked without the key. */
export interface Digest {
  size: number;
  /** Hex. */
  sha256: string;
}

interface TargetObject {
  name: string;
  size: number;
  modifiedAt: Date;
}

type Content = Iterable<Uint8Array> | AsyncIterable<Uint8Array>;

/** Where backups are kept: a folder or a bucket. Names have slashes. */
export interface Target {
  /** Atomic and durable: after a failure or a crash nothing is stored under this name. Replaces an object of this name. */
  put(name: string, content: Content): Promise<Digest>;
  get(name: string): Promise<Readable>;
  /** In no particular order. */
  list(prefix: string): AsyncIterable<TargetObject>;
  /** Succeeds if the object does not exist. */
  delete(name: string): Promise<void>;
}

/** @param location a folder, or `s3://bucket/prefix` with the server and the keys of the S3_ settings */
export function openTarget(location: string, settings: Settings, logger: Logger): Target {
  if (!location.startsWith('s3://')) return folderTarget(path.resolve(location));
  const [, bucket, prefix = ''] = /^s3:\/\/([^/]+)(?:\/(.*?))?\/*$/.exec(location) ?? [];
  if (!bucket) throw new BackupError(`${location} is not a target such as s3://bucket/prefix`);
  if (!settings.S3_ACCESS_KEY_ID || !settings.S3_SECRET_ACCESS_KEY) {
    throw new BackupError(`${location} needs S3_ACCESS_KEY_ID and S3_SECRET_ACCESS_KEY`);
  }
  return bucketTarget({ ...settings, S3_BUCKET: bucket }, prefix && `${prefix}/`, logger);
}

/** Inside the target, so that a complete file can be renamed instead of copied. */
const INCOMING = '.incoming';

function folderTarget(root: string): Target {
  const incoming = incomingFolder(path.join(root, INCOMING));
  const pathOf = (name: string) => path.join(root, name);

  async function* walk(folder: string, prefix: string): AsyncGenerator<TargetObject> {
    const entries = await readdir(pathOf(folder), { withFileTypes: true }).catch(ignoringAbsence);
    for (const entry of entries ?? []) {
      const name = `${folder}${entry.name}`;
      if (entry.isDirectory()) {
        const below = `${name}/`;
        if (name !== INCOMING && (below.startsWith(prefix) || prefix.startsWith(below))) yield* walk(below, prefix);
      } else if (name.startsWith(prefix)) {
        const found = await stat(pathOf(name)).catch(ignoringAbsence);
        if (found) yield { name, size: found.size, modifiedAt: found.mtime };
      }
    }
  }

  return {
    async put(name, content) {
      const { file, digest } = await receiveAll(incoming, content);
      try {
        const folder = path.dirname(pathOf(name));
        await mkdir(folder, { recursive: true });
        await rename(await file.save(), pathOf(name));
        await syncFolder(folder);
        return digest;
      } finally {
        await file.discard();
      }
    },
    get: async (name) => (await open(pathOf(name))).createReadStream(),
    list: (prefix) => walk('', prefix),
    async delete(name) {
      await rm(pathOf(name), { force: true });
      // Fails unless it was the folder's last file.
      const folder = path.dirname(pathOf(name));
      if (folder !== root) await rmdir(folder).catch(() => undefined);
    },
  };
}

/** A dump is much larger than an upload: no limit for a request, and a longer one for silence. */
const TIMEOUTS = { requestTimeout: 0, socketTimeout: 60_000 };

/** Files are first written to TMPDIR: S3 needs to know the size before the first byte, and a retry needs the bytes again. */
function bucketTarget(settings: Settings & { S3_BUCKET: string }, prefix: string, logger: Logger): Target {
  const bucket = createBucket(settings, { logger, timeouts: TIMEOUTS });
  const incoming = incomingFolder(path.join(tmpdir(), 'shop-backup'));
  return {
    async put(name, content) {
      const { file, digest } = await receiveAll(incoming, content);
      try {
        await bucket.putFile(`${prefix}${name}`, file, 'application/octet-stream');
        return digest;
      } finally {
        await file.discard();
      }
    },
    async get(name) {
      const wanted = { Bucket: settings.S3_BUCKET, Key: `${prefix}${name}` };
      const found = await bucket.run((sdk, client) => client.send(new sdk.GetObjectCommand(wanted)));
      return found.Body as Readable;
    },
    async *list(below) {
      for await (const object of bucket.list(`${prefix}${below}`)) {
        yield { ...object, name: object.name.slice(prefix.length) };
      }
    },
    delete: (name) => bucket.delete(`${prefix}${name}`),
  };
}

async function receiveAll(incoming: ReturnType<typeof incomingFolder>, content: Content) {
  const hash = createHash('sha256');
  async function* hashing() {
    for await (const chunk of content) {
      hash.update(chunk);
      yield Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    }
  }
  const file = await incoming.receive(hashing());
  const digest: Digest = { size: file.size, sha256: hash.digest('hex') };
  return { file, digest };
}

function ignoringAbsence(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
}
