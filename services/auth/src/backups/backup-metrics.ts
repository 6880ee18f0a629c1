import type { Job } from '@shop/core/service';
import type { AuthContext } from '../service';
import { findBackupsTableCreation, findNewestBackup } from './backups.sql';

/** Exports what tools/backup has recorded. No other process knows it: a backup is a command that ends. */
export function backupMetrics({ db, metrics }: Pick<AuthContext, 'db' | 'metrics'>): Job {
  // NaN until the database was read, so that no alert fires meanwhile.
  let figures = { backupAt: Number.NaN, backupBytes: Number.NaN, drillAt: Number.NaN };
  metrics.gauge(
    'backup_last_success_timestamp_seconds',
    'When the newest backup finished. Before the first one: when the shop began to record backups',
    () => figures.backupAt,
  );
  metrics.gauge(
    'backup_size_bytes',
    'Size of the newest backup with its uploads, compressed. 0: there has never been a backup',
    () => figures.backupBytes,
  );
  metrics.gauge(
    'restore_drill_last_success_timestamp_seconds',
    'When the newest restore drill finished. Before the first one: when the shop began to record drills',
    () => figures.drillAt,
  );
  return {
    name: 'read_backups',
    everySeconds: 60,
    async run() {
      const since = await findBackupsTableCreation(db);
      const [backup, drill] = [await findNewestBackup(db, 'backup'), await findNewestBackup(db, 'restore_drill')];
      figures = {
        backupAt: secondsOf(backup?.finishedAt ?? since),
        backupBytes: Number(backup?.sizeBytes ?? 0),
        drillAt: secondsOf(drill?.finishedAt ?? since),
      };
    },
  };
}

const secondsOf = (time: Date | undefined): number => (time ? time.getTime() / 1000 : Number.NaN);
