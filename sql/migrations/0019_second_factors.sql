CREATE TABLE IF NOT EXISTS second_factors (
  user_id      BIGINT UNSIGNED NOT NULL PRIMARY KEY,
  secret       VARCHAR(100) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'encrypted with FACTOR_KEY',
  confirmed_at DATETIME(3) NULL COMMENT 'NULL: set up, but no login needs it yet',
  last_step    BIGINT UNSIGNED NOT NULL DEFAULT 0 COMMENT 'time step of the last accepted code: it works once',
  CONSTRAINT second_factors_user FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;

CREATE TABLE IF NOT EXISTS recovery_codes (
  user_id   BIGINT UNSIGNED NOT NULL,
  code_hash CHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'SHA-256, hex',
  PRIMARY KEY (user_id, code_hash),
  CONSTRAINT recovery_codes_factor FOREIGN KEY (user_id) REFERENCES second_factors (user_id) ON DELETE CASCADE
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;

-- unless column sessions.with_factor
ALTER TABLE sessions ADD COLUMN with_factor TINYINT NOT NULL DEFAULT 0 COMMENT 'the login needed a second factor', ALGORITHM=INSTANT;
