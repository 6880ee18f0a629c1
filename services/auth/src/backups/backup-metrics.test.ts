import { createMetrics } from '@shop/core/metrics';
import { aDatabase, adHoc, aFreshDatabase, closeDatabases } from '@shop/testing';
import { backupMetrics } from './backup-metrics';

afterAll(closeDatabases);

test('exports when the newest backup and the newest drill finished, and the size of the backup', async () => {
  const { db } = aDatabase({ DB_NAME: await aFreshDatabase() });
  const metrics = createMetrics('auth');
  const job = backupMetrics({ db, metrics });
  const names = [
    'backup_last_success_timestamp_seconds',
    'backup_size_bytes',
    'restore_drill_last_success_timestamp_seconds',
  ];
  const figures = async () =>
    await Promise.all(
      names.map(async (name) => (await metrics.registry.getSingleMetric(name)?.get())?.values[0]?.value),
    );

  expect(await figures()).toEqual([Number.NaN, Number.NaN, Number.NaN]);

  await db.write(
    adHoc("UPDATE schema_migrations SET applied_at = '2026-11-01 00:00:00' WHERE name = '0011_backups.sql'"),
  );
  const since = Date.UTC(2026, 10, 1) / 1000;
  await job.run();
  expect(await figures()).toEqual([since, 0, since]);

  await db.write(
    adHoc(`INSERT INTO backups (kind, size_bytes, finished_at) VALUES ('backup', 5000000000, '2026-11-27 10:00:00.5'),
      ('backup', 7, '2026-11-26 10:00:00'), ('restore_drill', 9, '2026-11-20 10:00:00')`),
  );
  await job.run();
  expect(await figures()).toEqual([
    Date.UTC(2026, 10, 27, 10) / 1000 + 0.5,
    5_000_000_000,
    Date.UTC(2026, 10, 20, 10) / 1000,
  ]);
});
