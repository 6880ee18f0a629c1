CREATE TABLE IF NOT EXISTS sessions (
  id           BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  user_id      BIGINT UNSIGNED NOT NULL,
  family_id    CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'of its rows in refresh_tokens',
  ip           VARCHAR(45) CHARACTER SET ascii COLLATE ascii_bin NULL COMMENT 'of the login; NULL: by an earlier release',
  user_agent   VARCHAR(255) NULL COMMENT 'of the login',
  created_at   DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  last_used_at DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3) COMMENT 'login or last refresh',
  expires_at   DATETIME(3) NOT NULL COMMENT 'of its newest refresh token',
  UNIQUE KEY sessions_family (family_id),
  KEY sessions_user (user_id, created_at, id),
  KEY sessions_expiry (expires_at),
  CONSTRAINT sessions_user FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;

-- unless column refresh_tokens.parent_id
ALTER TABLE refresh_tokens
  ADD COLUMN parent_id BIGINT UNSIGNED NULL COMMENT 'the token that was exchanged for it; NULL: a login, or by an earlier release' AFTER family_id,
  ALGORITHM=INSTANT;
