CREATE TABLE IF NOT EXISTS mails (
  id              BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  kind            VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  recipient       VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  user_id         BIGINT UNSIGNED NULL COMMENT 'NULL: the account with this email address, if there is one',
  client          VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'IPv4 address or IPv6 network',
  token           VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NULL COMMENT 'local environment only',
  position        INT UNSIGNED NOT NULL COMMENT 'mails of the same client that were waiting before it',
  attempts        INT UNSIGNED NOT NULL DEFAULT 0,
  next_attempt_at DATETIME(3) NOT NULL,
  created_at      DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  KEY mails_due (next_attempt_at),
  KEY mails_client (client),
  CONSTRAINT mails_user FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;
