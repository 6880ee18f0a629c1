import { invalidAccessToken } from '@shop/core/auth';
import {
  int,
  type List,
  onMissingParent,
  type Page,
  type Sql,
  selectList,
  statement,
  text,
  timestamp,
  when,
} from '@shop/core/db';
import { uploadUrl } from '@shop/shop';
import type { StoredFile } from './files.schemas';

/* Table files. */

const INSERT_FILE = statement(
  'file.insert',
  `INSERT INTO files (user_id, stored_name, original_name, content_type, size_bytes)
   VALUES (:userId, :storedName, :originalName, :contentType, :size)`,
);

interface NewFile {
  storedName: string;
  originalName: string;
  contentType: string;
  size: number;
}

export async function insertFile(sql: Sql, userId: number, file: NewFile): Promise<void> {
  // An access token can outlive its user.
  await onMissingParent(sql.write(INSERT_FILE, { userId, ...file }), { files_user: invalidAccessToken });
}

const FIND_FILE_OWNER = statement(
  'file.findOwner',
  { ownerId: int },
  'SELECT user_id AS ownerId FROM files WHERE stored_name = :storedName',
);

export async function findFileOwner(sql: Sql, storedName: string): Promise<number | undefined> {
  return (await sql.row(FIND_FILE_OWNER, { storedName }))?.ownerId;
}

export async function listFiles(sql: Sql, userId: number, page: Page): Promise<List<StoredFile>> {
  const source = {
    name: 'file.list',
    columns: { filename: text, original_name: text, content_type: text, size: int, created_at: timestamp },
    select: 'stored_name AS filename, original_name, content_type, size_bytes AS size, created_at',
    table: 'files',
    where: [when('user_id = :userId', { userId })],
    index: 'files_user',
  };
  const list = await selectList(sql, source, page);
  return { ...list, rows: list.rows.map((row) => ({ ...row, url: uploadUrl(row.filename) })) };
}

const DELETE_FILE = statement('file.delete', 'DELETE FROM files WHERE stored_name = :storedName');

/** @returns whether a row was deleted */
export async function deleteFileRow(sql: Sql, storedName: string): Promise<boolean> {
  return (await sql.write(DELETE_FILE, { storedName })).affectedRows === 1;
}
