CREATE TABLE IF NOT EXISTS mail_quotas (
  subject    VARCHAR(100) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,
  sent_at    VARCHAR(512) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'milliseconds since the epoch, comma-separated',
  expires_at DATETIME(3) NOT NULL,
  KEY mail_quotas_expiry (expires_at)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;
