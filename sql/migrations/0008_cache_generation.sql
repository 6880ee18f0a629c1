CREATE TABLE IF NOT EXISTS cache_generation (
  id         TINYINT UNSIGNED NOT NULL PRIMARY KEY COMMENT 'always 1',
  generation CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'random'
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;
