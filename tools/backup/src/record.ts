import type { Connection } from 'mysql2/promise';

/**
 * Records a success for the metrics of the auth service. Without the table, which a release before may lack, it only warns.
 */
export async function recordSuccess(
  connection: Connection,
  kind: 'backup' | 'restore_drill',
  sizeBytes: number,
  print: (line: string) => void,
): Promise<void> {
  try {
    await connection.query('INSERT INTO backups (kind, size_bytes) VALUES (?, ?)', [kind, sizeBytes]);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ER_NO_SUCH_TABLE') throw error;
    print(
      'warning: the success was not recorded for the metrics: the database has no table backups yet (npm run migrate)',
    );
  }
}
