-- replaces: b290b661c83e44cbea60087383e15b20570731a514977ebdb92424beed89f73d
-- replaces: 3e00a456d1a93bc48a83ee26a58578ee25b358cf270d274f159702e25a613af3

-- Columns for searching (docs/decisions/0018-text-search.md), and an index for each order in which lists are read.

-- unless column users.name_folded
ALTER TABLE users
  ADD COLUMN name_folded VARCHAR(768) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL AFTER name,
  ALGORITHM=INSTANT;

-- unless index users.users_newest
ALTER TABLE users ADD INDEX users_newest (created_at, id), ALGORITHM=INPLACE, LOCK=NONE;

-- Only the comment changes.
ALTER TABLE categories
  MODIFY name_key VARCHAR(768) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL COMMENT 'folded name: unique, and what is searched',
  ALGORITHM=INSTANT;

-- unless index categories.categories_newest
ALTER TABLE categories ADD INDEX categories_newest (created_at, id), ALGORITHM=INPLACE, LOCK=NONE;

-- unless column stores.name_folded
ALTER TABLE stores
  ADD COLUMN name_folded VARCHAR(768) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL AFTER name,
  ALGORITHM=INSTANT;

-- unless index stores.stores_owner_newest
ALTER TABLE stores ADD INDEX stores_owner_newest (user_id, created_at, id), ALGORITHM=INPLACE, LOCK=NONE;

-- unless index stores.stores_newest
ALTER TABLE stores ADD INDEX stores_newest (created_at, id), ALGORITHM=INPLACE, LOCK=NONE;

-- unless column products.description_words
ALTER TABLE products
  ADD COLUMN name_folded VARCHAR(768) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL AFTER name,
  ADD COLUMN name_words VARCHAR(768) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL COMMENT 'distinct folded words, a space before each' AFTER name_folded,
  ADD COLUMN description_words MEDIUMTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL AFTER description,
  ALGORITHM=INSTANT;

-- unless index products.products_category_newest
ALTER TABLE products ADD INDEX products_category_newest (category_id, created_at, id), ALGORITHM=INPLACE, LOCK=NONE;

-- unless index products.products_price
ALTER TABLE products ADD INDEX products_price (price, created_at, id), ALGORITHM=INPLACE, LOCK=NONE;

-- unless column addresses.postal_code_folded
ALTER TABLE addresses
  ADD COLUMN label_folded VARCHAR(300) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL AFTER label,
  ADD COLUMN city_folded VARCHAR(300) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL AFTER city,
  ADD COLUMN postal_code_folded VARCHAR(60) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL AFTER postal_code,
  ALGORITHM=INSTANT;

-- unless index transactions.transactions_total
ALTER TABLE transactions ADD INDEX transactions_total (total, created_at, id), ALGORITHM=INPLACE, LOCK=NONE;
