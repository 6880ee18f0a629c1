import { type List, limitOffset, onMissingParent, repository, type Sql, unauthenticated, uploadUrl } from '@shop/core';
import type { FileQuery, StoredFile } from './file.schemas';

interface FileRow {
  stored_name: string;
  original_name: string;
  content_type: string;
  size_bytes: number;
  created_at: Date;
}

export interface NewFile {
  userId: number;
  storedName: string;
  originalName: string;
  contentType: string;
  sizeBytes: number;
}

const toStoredFile = (row: FileRow): StoredFile => ({
  filename: row.stored_name,
  original_name: row.original_name,
  url: uploadUrl(row.stored_name),
  content_type: row.content_type,
  size: row.size_bytes,
  created_at: row.created_at.toISOString(),
});

/** Every statement on files. */
export const fileRepository = repository('file', (sql: Sql) => ({
  async insert(file: NewFile): Promise<void> {
    const insert = sql.write(
      'INSERT INTO files (user_id, stored_name, original_name, content_type, size_bytes) VALUES (?, ?, ?, ?, ?)',
      [file.userId, file.storedName, file.originalName, file.contentType, file.sizeBytes],
    );
    // The token outlived its user.
    await onMissingParent(insert, { files_user: unauthenticated });
  },

  async findOwner(storedName: string): Promise<number | undefined> {
    const [row] = await sql.rows<{ user_id: number }>('SELECT user_id FROM files WHERE stored_name = ?', [storedName]);
    return row?.user_id;
  },

  async list(userId: number, query: FileQuery): Promise<List<StoredFile>> {
    const rows = await sql.rows<FileRow>(
      `SELECT stored_name, original_name, content_type, size_bytes, created_at FROM files
       WHERE user_id = ? ORDER BY created_at DESC, id DESC LIMIT ? OFFSET ?`,
      [userId, ...limitOffset(query)],
    );
    const [count] = await sql.rows<{ total: number }>('SELECT COUNT(*) AS total FROM files WHERE user_id = ?', [
      userId,
    ]);
    return { rows: rows.map(toStoredFile), total: Number(count?.total ?? 0) };
  },

  async delete(storedName: string): Promise<void> {
    await sql.write('DELETE FROM files WHERE stored_name = ?', [storedName]);
  },
}));

export type FileRepository = ReturnType<typeof fileRepository>;
