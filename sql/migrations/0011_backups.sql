CREATE TABLE IF NOT EXISTS backups (
  id          BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  kind        ENUM('backup', 'restore_drill') NOT NULL,
  size_bytes  BIGINT UNSIGNED NOT NULL COMMENT 'of the files of the backup, compressed, uploads included',
  finished_at DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  KEY backups_newest (kind, finished_at)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;
