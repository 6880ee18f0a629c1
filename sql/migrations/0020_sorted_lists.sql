-- The catalog, sorted by price or name, and what is sold out. One statement, which reads the table once.

-- unless index products.products_by_price
ALTER TABLE products
  ADD INDEX products_by_price (price, id),
  ADD INDEX products_category_price (category_id, price, id),
  ADD INDEX products_store_price (store_id, price, id),
  ADD INDEX products_by_name (name, id),
  ADD INDEX products_category_name (category_id, name, id),
  ADD INDEX products_store_name (store_id, name, id),
  ADD INDEX products_stock (stock, created_at, id),
  ALGORITHM=INPLACE, LOCK=NONE;
