CREATE TABLE IF NOT EXISTS audit_events (
  id         BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  event      VARCHAR(40) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  user_id    BIGINT UNSIGNED NOT NULL COMMENT 'the account that it happened to',
  actor_id   BIGINT UNSIGNED NULL COMMENT 'the user who did it; NULL: unknown',
  detail     VARCHAR(100) NULL,
  ip         VARCHAR(45) CHARACTER SET ascii COLLATE ascii_bin NULL COMMENT 'of the client; NULL: its account is deleted',
  user_agent VARCHAR(255) NULL,
  request_id VARCHAR(128) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  created_at DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  KEY audit_events_newest (created_at, id),
  KEY audit_events_user (user_id, created_at, id),
  KEY audit_events_event (event, created_at, id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;
