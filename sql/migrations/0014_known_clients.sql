CREATE TABLE IF NOT EXISTS known_clients (
  user_id    BIGINT UNSIGNED NOT NULL,
  client     VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'IPv4 address or IPv6 network',
  created_at DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  PRIMARY KEY (user_id, client),
  KEY known_clients_oldest (created_at),
  CONSTRAINT known_clients_user FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;
