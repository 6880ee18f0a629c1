-- An index for searching products (docs/decisions/0046-indexed-search.md).

CREATE TABLE IF NOT EXISTS product_terms (
  product_id BIGINT UNSIGNED NOT NULL,
  field      ENUM('name', 'description') NOT NULL,
  term       VARCHAR(10) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL COMMENT 'folded: of a name from each character on, of a description the beginning of each word',
  PRIMARY KEY (product_id, field, term),
  KEY product_terms_term (term, product_id),
  CONSTRAINT product_terms_product FOREIGN KEY (product_id) REFERENCES products (id) ON DELETE CASCADE
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;

-- unless column products.terms_checksum
ALTER TABLE products
  ADD COLUMN terms_checksum INT UNSIGNED NULL COMMENT 'of the folded texts that its terms were made from' AFTER description_words,
  ALGORITHM=INSTANT;

-- The server computes it whatever writes the row, also for the release before.
-- unless column products.without_terms
ALTER TABLE products
  ADD COLUMN without_terms TINYINT AS (IF(terms_checksum <=> CRC32(CONCAT(name_folded, description_words)), NULL, 1)) VIRTUAL
    COMMENT '1: its terms are missing or old' AFTER terms_checksum,
  ALGORITHM=INSTANT;

-- unless index products.products_without_terms
ALTER TABLE products ADD INDEX products_without_terms (without_terms), ALGORITHM=INPLACE, LOCK=NONE;
