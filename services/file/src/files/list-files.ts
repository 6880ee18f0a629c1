import type { Caller, List } from '@shop/core';
import type { FileRepository } from './file.repository';
import type { FileQuery, StoredFile } from './file.schemas';

interface Parts {
  files: Pick<FileRepository, 'list'>;
}

export const listFiles =
  ({ files }: Parts) =>
  (caller: Caller, query: FileQuery): Promise<List<StoredFile>> =>
    files.list(caller.id, query);
