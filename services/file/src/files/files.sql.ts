import {
  ifGiven,
  type List,
  onMissingParent,
  repository,
  type Sql,
  selectList,
  unauthenticated,
  uploadUrl,
} from '@shop/core';
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

  list(userId: number, query: FileQuery): Promise<List<StoredFile>> {
    const source = {
      table: 'files',
      columns: 'stored_name, original_name, content_type, size_bytes, created_at',
      where: [ifGiven('user_id = ?', userId)],
      index: 'files_user',
    };
    return selectList(sql, source, query, toStoredFile);
  },

  /** @returns false: there is none */
  async delete(storedName: string): Promise<boolean> {
    return (await sql.write('DELETE FROM files WHERE stored_name = ?', [storedName])).affectedRows === 1;
  },
}));

export type FileRepository = ReturnType<typeof fileRepository>;
