-- What `npm run db:apply` of 0.2.0 did to a database of 1-first.sql, after it had run 7-cache-generation.sql.
-- It added nothing else: no BIGINT, no product_logs_product, no stock movements, no comments.
ALTER TABLE users
  ADD COLUMN name_folded VARCHAR(768) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL AFTER name,
  ADD COLUMN email_verified_at DATETIME(3) NULL AFTER created_at,
  ADD INDEX users_newest (created_at, id);
ALTER TABLE categories ADD INDEX categories_newest (created_at, id);
ALTER TABLE stores
  ADD COLUMN name_folded VARCHAR(768) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL AFTER name,
  ADD INDEX stores_owner_newest (user_id, created_at, id),
  ADD INDEX stores_newest (created_at, id);
ALTER TABLE products
  ADD COLUMN name_folded VARCHAR(768) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL AFTER name,
  ADD COLUMN name_words VARCHAR(768) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL COMMENT 'distinct folded words, a space before each' AFTER name_folded,
  ADD COLUMN description_words MEDIUMTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL AFTER description,
  ADD INDEX products_category_newest (category_id, created_at, id),
  ADD INDEX products_price (price, created_at, id);
ALTER TABLE addresses
  ADD COLUMN label_folded VARCHAR(300) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL AFTER label,
  ADD COLUMN city_folded VARCHAR(300) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL AFTER city,
  ADD COLUMN postal_code_folded VARCHAR(60) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL AFTER postal_code;
ALTER TABLE transactions
  ADD INDEX transactions_status (status, created_at, id),
  ADD INDEX transactions_total (total, created_at, id);
