-- replaces: c3e5ba2f99e987cb4e4ebf423d50a45142c84d7e3597a7f919611ea3ab823bea
-- replaces: 918ba189d5bcf60211f02cad697c61e219d1f1c19eb49d5d40ce2b9582998ea3

-- The status history of orders, idempotency keys, and the ledger of stock changes.

-- rebuilds: the column is an INT in a database of the first version.
ALTER TABLE products MODIFY stock BIGINT NOT NULL DEFAULT 0;

CREATE TABLE IF NOT EXISTS stock_movements (
  id             BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  product_id     BIGINT UNSIGNED NOT NULL,
  transaction_id BIGINT UNSIGNED NULL COMMENT 'the cancelled one',
  reason         ENUM('initial', 'edit', 'cancellation') NOT NULL,
  quantity       BIGINT NOT NULL COMMENT 'added to the stock; negative: taken away',
  created_at     DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  UNIQUE KEY stock_movements_restock_once (transaction_id, product_id),
  KEY stock_movements_product (product_id, reason, quantity)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;

-- unless index transactions.transactions_status
ALTER TABLE transactions ADD INDEX transactions_status (status, created_at, id), ALGORITHM=INPLACE, LOCK=NONE;

-- unless index product_logs.product_logs_product
ALTER TABLE product_logs ADD INDEX product_logs_product (product_id, quantity), ALGORITHM=INPLACE, LOCK=NONE;

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

CREATE TABLE IF NOT EXISTS idempotency_keys (
  user_id         BIGINT UNSIGNED NOT NULL,
  route           VARCHAR(100) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  idempotency_key VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  request_hash    CHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'SHA-256 of the body as JSON, hex',
  transaction_id  BIGINT UNSIGNED NULL COMMENT 'NULL only before the commit',
  replays         INT UNSIGNED NOT NULL DEFAULT 0 COMMENT 'how often the first answer was given again',
  created_at      DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  PRIMARY KEY (user_id, route, idempotency_key),
  KEY idempotency_keys_age (created_at)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;
