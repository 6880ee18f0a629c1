-- The one schema of the shop, for MySQL 8.0+ and MariaDB 10.11+. Safe to run again.
-- Each table is owned by one service; the others touch it only where atomicity demands it.
-- Times are UTC (every connection sets time_zone '+00:00').
-- utf8mb4_unicode_ci exists on both servers; what must compare exactly (emails, tokens) is utf8mb4_bin or ascii_bin.

-- auth ---------------------------------------------------------------------------------------------------------------

CREATE TABLE IF NOT EXISTS users (
  id            BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  name          VARCHAR(255) NOT NULL,
  email         VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL COMMENT 'lower case',
  phone         VARCHAR(21) CHARACTER SET ascii COLLATE ascii_bin NULL COMMENT 'digits, optional leading +',
  password_hash CHAR(60) CHARACTER SET ascii COLLATE ascii_bin NULL COMMENT 'bcrypt; NULL: signs in through Google only',
  google_sub    VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NULL,
  role          ENUM('user', 'admin') NOT NULL DEFAULT 'user',
  created_at    DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  UNIQUE KEY users_email (email),
  UNIQUE KEY users_phone (phone),
  UNIQUE KEY users_google_sub (google_sub)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;

CREATE TABLE IF NOT EXISTS refresh_tokens (
  id         BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  user_id    BIGINT UNSIGNED NOT NULL,
  family_id  CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'one login and all that was rotated from it',
  token_hash CHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'SHA-256, hex',
  expires_at DATETIME(3) NOT NULL,
  spent_at   DATETIME(3) NULL COMMENT 'rotated; presenting it again revokes the family',
  revoked_at DATETIME(3) NULL,
  created_at DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  UNIQUE KEY refresh_tokens_hash (token_hash),
  KEY refresh_tokens_family (family_id),
  KEY refresh_tokens_expiry (expires_at),
  CONSTRAINT refresh_tokens_user FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;

CREATE TABLE IF NOT EXISTS password_resets (
  id         BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  user_id    BIGINT UNSIGNED NOT NULL,
  token_hash CHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'SHA-256, hex',
  expires_at DATETIME(3) NOT NULL,
  spent_at   DATETIME(3) NULL,
  created_at DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  UNIQUE KEY password_resets_hash (token_hash),
  KEY password_resets_expiry (expires_at),
  CONSTRAINT password_resets_user FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;

CREATE TABLE IF NOT EXISTS categories (
  id         BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  name       VARCHAR(255) NOT NULL,
  name_key   VARCHAR(768) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL COMMENT 'lower-cased name: unique whatever the case, and nothing more',
  created_at DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  UNIQUE KEY categories_name_key (name_key)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;

-- store --------------------------------------------------------------------------------------------------------------

CREATE TABLE IF NOT EXISTS stores (
  id         BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  user_id    BIGINT UNSIGNED NOT NULL,
  name       VARCHAR(255) NOT NULL,
  created_at DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  KEY stores_user (user_id, id),
  CONSTRAINT stores_user FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;

-- product ------------------------------------------------------------------------------------------------------------

CREATE TABLE IF NOT EXISTS products (
  id          BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  store_id    BIGINT UNSIGNED NOT NULL,
  category_id BIGINT UNSIGNED NULL,
  name        VARCHAR(255) NOT NULL,
  description TEXT NOT NULL,
  price       DECIMAL(12, 2) NOT NULL,
  stock       INT NOT NULL DEFAULT 0,
  image       VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NULL COMMENT 'stored name below /uploads/',
  created_at  DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  KEY products_store (store_id, created_at, id),
  KEY products_newest (created_at, id),
  CONSTRAINT products_store FOREIGN KEY (store_id) REFERENCES stores (id) ON DELETE CASCADE,
  CONSTRAINT products_category FOREIGN KEY (category_id) REFERENCES categories (id) ON DELETE SET NULL,
  CONSTRAINT products_price_range CHECK (price >= 0),
  CONSTRAINT products_stock_never_negative CHECK (stock >= 0)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;

-- address ------------------------------------------------------------------------------------------------------------

CREATE TABLE IF NOT EXISTS addresses (
  id          BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  user_id     BIGINT UNSIGNED NOT NULL,
  label       VARCHAR(100) NOT NULL DEFAULT '',
  address     TEXT NOT NULL,
  city        VARCHAR(100) NOT NULL DEFAULT '',
  postal_code VARCHAR(20) NOT NULL DEFAULT '',
  created_at  DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  KEY addresses_user (user_id, created_at, id),
  CONSTRAINT addresses_user FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;

-- transaction --------------------------------------------------------------------------------------------------------

CREATE TABLE IF NOT EXISTS transactions (
  id               BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  user_id          BIGINT UNSIGNED NOT NULL,
  store_id         BIGINT UNSIGNED NOT NULL,
  address_id       BIGINT UNSIGNED NULL COMMENT 'NULL once the address is deleted; the copy below stays',
  ship_label       VARCHAR(100) NOT NULL,
  ship_address     TEXT NOT NULL,
  ship_city        VARCHAR(100) NOT NULL,
  ship_postal_code VARCHAR(20) NOT NULL,
  total            DECIMAL(12, 2) NOT NULL,
  status           ENUM('pending', 'paid', 'shipped', 'completed', 'cancelled') NOT NULL DEFAULT 'pending',
  created_at       DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  KEY transactions_user (user_id, created_at, id),
  KEY transactions_store (store_id, created_at, id),
  KEY transactions_newest (created_at, id),
  CONSTRAINT transactions_user FOREIGN KEY (user_id) REFERENCES users (id),
  CONSTRAINT transactions_store FOREIGN KEY (store_id) REFERENCES stores (id),
  CONSTRAINT transactions_address FOREIGN KEY (address_id) REFERENCES addresses (id) ON DELETE SET NULL,
  CONSTRAINT transactions_total_range CHECK (total >= 0)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;

-- product_id has no foreign key: a log outlives its product.
CREATE TABLE IF NOT EXISTS product_logs (
  id             BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  transaction_id BIGINT UNSIGNED NOT NULL,
  product_id     BIGINT UNSIGNED NOT NULL,
  product_name   VARCHAR(255) NOT NULL,
  product_price  DECIMAL(12, 2) NOT NULL,
  quantity       INT NOT NULL,
  created_at     DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  KEY product_logs_transaction (transaction_id, id),
  CONSTRAINT product_logs_transaction FOREIGN KEY (transaction_id) REFERENCES transactions (id) ON DELETE CASCADE,
  CONSTRAINT product_logs_quantity_positive CHECK (quantity > 0)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;

-- file ---------------------------------------------------------------------------------------------------------------

CREATE TABLE IF NOT EXISTS files (
  id            BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  user_id       BIGINT UNSIGNED NOT NULL,
  stored_name   VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  original_name VARCHAR(255) NOT NULL,
  content_type  VARCHAR(100) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  size_bytes    INT UNSIGNED NOT NULL,
  created_at    DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  UNIQUE KEY files_stored_name (stored_name),
  KEY files_user (user_id, created_at, id),
  CONSTRAINT files_user FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;
