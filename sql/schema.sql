-- The schema of the whole shop, for MySQL 8.0+ and MariaDB 10.11+: what all files in sql/migrations make together. Compose, Swarm
-- and Kubernetes load it into an empty database. It is safe to repeat. An older database only gets the tables that it lacks, and
-- `npm run migrate` brings it up to date.
-- If you add a migration, make the same change here (docs/migrations.md). A test compares both.
-- Each table is owned by one service. Other services use it only where they need the same database transaction.
-- Times are UTC (every connection sets time_zone '+00:00').
-- utf8mb4_unicode_ci exists on both servers. Columns that must compare exactly (emails, tokens) use utf8mb4_bin or ascii_bin.
-- Columns named _folded and _words are for searching. The services write them (foldText in packages/core). NULL means that
-- something else wrote the row; `npm run migrate` fills them. Folding makes a text at most three times as long.

SET @is_empty = (SELECT COUNT(*) = 0 FROM information_schema.tables WHERE table_schema = DATABASE());

-- packages/core ------------------------------------------------------------------------------------------------------

-- One row. A service changes it if Redis did not confirm a cache invalidation, and reads it once a second while it uses the
-- cache. Entries of another generation are not used (docs/decisions/0004-cache-coherence.md).
CREATE TABLE IF NOT EXISTS cache_generation (
  id         TINYINT UNSIGNED NOT NULL PRIMARY KEY COMMENT 'always 1',
  generation CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'random'
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;

-- auth ---------------------------------------------------------------------------------------------------------------

CREATE TABLE IF NOT EXISTS users (
  id            BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  name          VARCHAR(255) NOT NULL,
  name_folded   VARCHAR(768) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL,
  email         VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL COMMENT 'lower case',
  phone         VARCHAR(21) CHARACTER SET ascii COLLATE ascii_bin NULL COMMENT 'digits, optional leading +',
  password_hash CHAR(60) CHARACTER SET ascii COLLATE ascii_bin NULL COMMENT 'bcrypt; NULL: signs in through Google only',
  google_sub    VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NULL,
  role          ENUM('user', 'admin') NOT NULL DEFAULT 'user',
  created_at    DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  email_verified_at DATETIME(3) NULL COMMENT 'the holder of the mailbox was here: by Google or by a mailed token',
  deleted_at    DATETIME(3) NULL COMMENT 'the row stays for its orders, without personal data',
  UNIQUE KEY users_email (email),
  UNIQUE KEY users_phone (phone),
  UNIQUE KEY users_google_sub (google_sub),
  KEY users_newest (created_at, id),
  KEY users_present (deleted_at, created_at, id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;

CREATE TABLE IF NOT EXISTS sessions (
  id           BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  user_id      BIGINT UNSIGNED NOT NULL,
  family_id    CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'of its rows in refresh_tokens',
  ip           VARCHAR(45) CHARACTER SET ascii COLLATE ascii_bin NULL COMMENT 'of the login; NULL: by an earlier release',
  user_agent   VARCHAR(255) NULL COMMENT 'of the login',
  created_at   DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  last_used_at DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3) COMMENT 'login or last refresh',
  expires_at   DATETIME(3) NOT NULL COMMENT 'of its newest refresh token',
  with_factor  TINYINT NOT NULL DEFAULT 0 COMMENT 'the login needed a second factor',
  UNIQUE KEY sessions_family (family_id),
  KEY sessions_user (user_id, created_at, id),
  KEY sessions_expiry (expires_at),
  CONSTRAINT sessions_user FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;

CREATE TABLE IF NOT EXISTS refresh_tokens (
  id         BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  user_id    BIGINT UNSIGNED NOT NULL,
  family_id  CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'one login and all that was rotated from it',
  parent_id  BIGINT UNSIGNED NULL COMMENT 'the token that was exchanged for it; NULL: a login, or by an earlier release',
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

-- Access tokens that end before they expire. Every service reads the new rows once a second.
CREATE TABLE IF NOT EXISTS revocations (
  id         BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  user_id    BIGINT UNSIGNED NOT NULL COMMENT 'no foreign key: it outlives the user',
  session_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NULL COMMENT 'refresh_tokens.family_id: ends all access tokens of the session',
  role       ENUM('user', 'admin') NULL COMMENT 'the new role: ends the access tokens with another one',
  revoked_at DATETIME(3) NOT NULL COMMENT 'without session and role: ends the access tokens without a session issued until then',
  expires_at DATETIME(3) NOT NULL COMMENT 'all these access tokens have expired',
  KEY revocations_expiry (expires_at)
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

-- The times of the recent reset mails of an account or a client, and of the recent failed logins to an account. The row is locked
-- while it is counted.
CREATE TABLE IF NOT EXISTS mail_quotas (
  subject    VARCHAR(100) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,
  sent_at    VARCHAR(512) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'milliseconds since the epoch, comma-separated',
  expires_at DATETIME(3) NOT NULL,
  KEY mail_quotas_expiry (expires_at)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;

-- Mails that are not sent yet: the outbox.
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

-- Where the token for a new email address was sent. At most one row per user.
CREATE TABLE IF NOT EXISTS email_verifications (
  id         BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  user_id    BIGINT UNSIGNED NOT NULL,
  email      VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL COMMENT 'becomes the address of the account',
  token_hash CHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'SHA-256, hex',
  expires_at DATETIME(3) NOT NULL,
  created_at DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  UNIQUE KEY email_verifications_hash (token_hash),
  KEY email_verifications_expiry (expires_at),
  CONSTRAINT email_verifications_user FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;

-- The client addresses from which a user has logged in. Guesses at a password from others are limited.
CREATE TABLE IF NOT EXISTS known_clients (
  user_id    BIGINT UNSIGNED NOT NULL,
  client     VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'IPv4 address or IPv6 network',
  created_at DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  PRIMARY KEY (user_id, client),
  KEY known_clients_oldest (created_at),
  CONSTRAINT known_clients_user FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;

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

-- What happened to accounts. Without a foreign key, so that an insert locks no user.
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

CREATE TABLE IF NOT EXISTS categories (
  id         BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  name       VARCHAR(255) NOT NULL,
  name_key   VARCHAR(768) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL COMMENT 'folded name: unique, and what is searched',
  created_at DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  UNIQUE KEY categories_name_key (name_key),
  KEY categories_newest (created_at, id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;

-- store --------------------------------------------------------------------------------------------------------------

CREATE TABLE IF NOT EXISTS stores (
  id          BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  user_id     BIGINT UNSIGNED NOT NULL,
  name        VARCHAR(255) NOT NULL,
  name_folded VARCHAR(768) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL,
  created_at  DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  KEY stores_owner_newest (user_id, created_at, id),
  KEY stores_newest (created_at, id),
  CONSTRAINT stores_user FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;

-- product ------------------------------------------------------------------------------------------------------------

CREATE TABLE IF NOT EXISTS products (
  id                BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  store_id          BIGINT UNSIGNED NOT NULL,
  category_id       BIGINT UNSIGNED NULL,
  name              VARCHAR(255) NOT NULL,
  name_folded       VARCHAR(768) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL,
  name_words        VARCHAR(768) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL COMMENT 'distinct folded words, a space before each',
  description       TEXT NOT NULL,
  description_words MEDIUMTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL,
  terms_checksum    INT UNSIGNED NULL COMMENT 'of the folded texts that its terms were made from',
  without_terms     TINYINT AS (IF(terms_checksum <=> CRC32(CONCAT(name_folded, description_words)), NULL, 1)) VIRTUAL
                    COMMENT '1: its terms are missing or old',
  price             DECIMAL(12, 2) NOT NULL,
  stock             BIGINT NOT NULL DEFAULT 0,
  image             VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NULL COMMENT 'stored name below /uploads/',
  created_at        DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  KEY products_store (store_id, created_at, id),
  KEY products_category_newest (category_id, created_at, id),
  KEY products_price (price, created_at, id),
  KEY products_newest (created_at, id),
  KEY products_by_price (price, id),
  KEY products_category_price (category_id, price, id),
  KEY products_store_price (store_id, price, id),
  KEY products_by_name (name, id),
  KEY products_category_name (category_id, name, id),
  KEY products_store_name (store_id, name, id),
  KEY products_stock (stock, created_at, id),
  KEY products_without_terms (without_terms),
  CONSTRAINT products_store FOREIGN KEY (store_id) REFERENCES stores (id) ON DELETE CASCADE,
  CONSTRAINT products_category FOREIGN KEY (category_id) REFERENCES categories (id) ON DELETE SET NULL,
  CONSTRAINT products_price_range CHECK (price >= 0),
  CONSTRAINT products_stock_never_negative CHECK (stock >= 0)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;

-- The index for searching products: partTerms of the name and wordTerms of the description (packages/core). A search looks for terms
-- that begin with its rarest word, and then tests the texts of these products.
CREATE TABLE IF NOT EXISTS product_terms (
  product_id BIGINT UNSIGNED NOT NULL,
  field      ENUM('name', 'description') NOT NULL,
  term       VARCHAR(10) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL COMMENT 'folded: of a name from each character on, of a description the beginning of each word',
  PRIMARY KEY (product_id, field, term),
  KEY product_terms_term (term, product_id),
  CONSTRAINT product_terms_product FOREIGN KEY (product_id) REFERENCES products (id) ON DELETE CASCADE
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;

-- All changes of a stock except sales, which are in product_logs. For each product,
-- stock = SUM(stock_movements) - SUM(product_logs). product_id has no foreign key: movements outlive their product.
CREATE TABLE IF NOT EXISTS stock_movements (
  id             BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  product_id     BIGINT UNSIGNED NOT NULL,
  transaction_id BIGINT UNSIGNED NULL COMMENT 'the cancelled one',
  reason         ENUM('initial', 'edit', 'cancellation') NOT NULL,
  quantity       BIGINT NOT NULL COMMENT 'added to the stock; negative: taken away',
  created_at     DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  note           VARCHAR(255) NULL COMMENT 'of the user who changed the stock',
  UNIQUE KEY stock_movements_restock_once (transaction_id, product_id),
  KEY stock_movements_product (product_id, reason, quantity)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;

-- address ------------------------------------------------------------------------------------------------------------

CREATE TABLE IF NOT EXISTS addresses (
  id                 BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  user_id            BIGINT UNSIGNED NOT NULL,
  label              VARCHAR(100) NOT NULL DEFAULT '',
  label_folded       VARCHAR(300) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL,
  address            TEXT NOT NULL,
  city               VARCHAR(100) NOT NULL DEFAULT '',
  city_folded        VARCHAR(300) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL,
  postal_code        VARCHAR(20) NOT NULL DEFAULT '',
  postal_code_folded VARCHAR(60) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL,
  created_at         DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
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
  KEY transactions_status (status, created_at, id),
  KEY transactions_total (total, created_at, id),
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
  KEY product_logs_product (product_id, quantity),
  CONSTRAINT product_logs_transaction FOREIGN KEY (transaction_id) REFERENCES transactions (id) ON DELETE CASCADE,
  CONSTRAINT product_logs_quantity_positive CHECK (quantity > 0)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;

CREATE TABLE IF NOT EXISTS transaction_status_changes (
  id             BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  transaction_id BIGINT UNSIGNED NOT NULL,
  from_status    ENUM('pending', 'paid', 'shipped', 'completed', 'cancelled') NOT NULL,
  to_status      ENUM('pending', 'paid', 'shipped', 'completed', 'cancelled') NOT NULL,
  changed_by     BIGINT UNSIGNED NULL COMMENT 'a user; NULL: the shop itself, where payment did not come in time',
  created_at     DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  KEY transaction_status_changes_transaction (transaction_id, id),
  CONSTRAINT transaction_status_changes_transaction FOREIGN KEY (transaction_id) REFERENCES transactions (id) ON DELETE CASCADE,
  CONSTRAINT transaction_status_changes_user FOREIGN KEY (changed_by) REFERENCES users (id) ON DELETE SET NULL
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;

-- A row exists if and only if what its request has written does: both are written in one database transaction. user_id has no foreign key,
-- because it would lock the user before the products, while all other statements lock products first.
CREATE TABLE IF NOT EXISTS idempotency_keys (
  user_id         BIGINT UNSIGNED NOT NULL,
  route           VARCHAR(100) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  idempotency_key VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  request_hash    CHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'SHA-256 of the body as JSON, hex',
  transaction_id  BIGINT UNSIGNED NULL COMMENT 'NULL only before the commit',
  replays         INT UNSIGNED NOT NULL DEFAULT 0 COMMENT 'how often the first answer was given again',
  created_at      DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  response        MEDIUMTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL COMMENT 'body of the first response',
  PRIMARY KEY (user_id, route, idempotency_key),
  KEY idempotency_keys_age (created_at)
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

-- backups ------------------------------------------------------------------------------------------------------------

-- Successful backups and restore drills, written by tools/backup. The auth service reads the newest ones for its metrics.
CREATE TABLE IF NOT EXISTS backups (
  id          BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  kind        ENUM('backup', 'restore_drill') NOT NULL,
  size_bytes  BIGINT UNSIGNED NOT NULL COMMENT 'of the files of the backup, compressed, uploads included',
  finished_at DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  KEY backups_newest (kind, finished_at)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;

-- migrations ---------------------------------------------------------------------------------------------------------

-- Written by `npm run migrate`. Services are not ready until it contains the newest migration that they know.
CREATE TABLE IF NOT EXISTS schema_migrations (
  name       VARCHAR(100) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,
  checksum   CHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'SHA-256 of the file, hex',
  applied_at DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;

-- Only into an empty database. Last, so that a load that was interrupted does not count as complete.
INSERT INTO schema_migrations (name, checksum)
SELECT name, checksum FROM (
  SELECT '0001_first_tables.sql' AS name, '5927d92df4cc1871f2345121c9f5969fc9eb07dc32f98bd0ce244be90e81931f' AS checksum
  UNION ALL SELECT '0002_order_history_and_stock_ledger.sql', 'd5fc4bf9592d391f8db8b9ed20e6ff5307c8cc75e55840ec37bb685a2cbf9f78'
  UNION ALL SELECT '0003_search_columns.sql', '6210ce8566e2e948ad67ffc74ae3c8cf92060c8f6ff55eb0ab5fe75faccd30d0'
  UNION ALL SELECT '0004_fill_search_columns.cjs', 'a36fe82c2987edd839812a4a920ac4bc7f26dc41f35a4867671245fc883e464f'
  UNION ALL SELECT '0005_email_verified_at.sql', '34b9176fc0e3bc7f141e23221c3754432d0a311e17c5d7cff0fe5d1a2a6968c9'
  UNION ALL SELECT '0006_mail_quotas.sql', '4aa86d8553b6d825e761f346757cbef086a06a3a90e5bfa321ccda3085900f54'
  UNION ALL SELECT '0007_idempotency_keys_without_foreign_key.sql', '2870cc0d4c38dd56a157f94a52c3fec7fa05f546a7b34f42c1c38670b1ee4c69'
  UNION ALL SELECT '0008_cache_generation.sql', '3340e7d6a9e7034bb7d36472ee1a7e34fce6aded4cef8f37310da04db0c21984'
  UNION ALL SELECT '0009_superseded_indexes.sql', 'd1620bb266fff7afe61241a39510d7c27a29c0c4503d58cde396d0ec105cdd93'
  UNION ALL SELECT '0010_stock_movements_of_old_products.cjs', '8ca92730b7d413233ff8a1c8003af3aae2a3c7c401c5bcbefdb4a1817f4bdef9'
  UNION ALL SELECT '0011_backups.sql', 'd862a483a4b96cac009b3c8db57ab3df35a83bd00f3aa8925285e6e90c0e5586'
  UNION ALL SELECT '0012_sessions.sql', '50407821820376aeba659fcbd44d74557c17e3101ea743159807a66b6bee5f8d'
  UNION ALL SELECT '0013_revocations.sql', 'd74529db18d17ff4c3e1576a2be0cf732caba2d871279e5f4cf9cec405249c63'
  UNION ALL SELECT '0014_known_clients.sql', '5d95d8a7f719e233aa3011d43552f78ae63801f0d6a9f0ee3f695464c1d95443'
  UNION ALL SELECT '0015_mails.sql', 'ae67fc2852bb81643f78b5c1edf3fcea9c504b4df2949b8a22680d87f6ae8cfa'
  UNION ALL SELECT '0016_email_verifications.sql', '6c3936157f66028ef197488ea1e40b5abe1f8cbab718fc6f4b6e5262eecde98a'
  UNION ALL SELECT '0017_deleted_users.sql', 'd09b95f9b36bed6655cf9d976580f410c1b846ff138b7d2df5e022da968352a4'
  UNION ALL SELECT '0018_audit_events.sql', '66eb8a315c872f2bf5c0ec7002537ed751e49c104bf6dcfab77c0ba1f3d8bf84'
  UNION ALL SELECT '0019_second_factors.sql', '519a1cf7e514bee9a0d63550c93dcf84129d2fef95721cb2dfe9b982972a8080'
  UNION ALL SELECT '0020_sorted_lists.sql', '419df548a0b9f20bc8d993834a55f9b4de7b3a289a0ee2f1904e0c6e39e76078'
  UNION ALL SELECT '0021_stored_responses.sql', '13e63d5f48ade49a9699684959cdfbf9a05708796c373a9424f5fe7a44fbbd05'
  UNION ALL SELECT '0022_product_terms.sql', '277a5fb0f1c235f5d0e12b31dc1a5759e8dfd66c70ee1f554aa9972fa990dec6'
  UNION ALL SELECT '0024_fill_product_terms.cjs', '2ffffad2b3587c0b7a6e129d4004f0e07a08b8fe418b1b6163f531a51d8d15c4'
) AS migrations WHERE @is_empty;
