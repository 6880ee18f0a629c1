CREATE TABLE IF NOT EXISTS revocations (
  id         BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  user_id    BIGINT UNSIGNED NOT NULL COMMENT 'no foreign key: it outlives the user',
  session_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NULL COMMENT 'refresh_tokens.family_id: ends all access tokens of the session',
  role       ENUM('user', 'admin') NULL COMMENT 'the new role: ends the access tokens with another one',
  revoked_at DATETIME(3) NOT NULL COMMENT 'without session and role: ends the access tokens without a session issued until then',
  expires_at DATETIME(3) NOT NULL COMMENT 'all these access tokens have expired',
  KEY revocations_expiry (expires_at)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;
