-- Each is a prefix of another index, or serves only a foreign key that another index serves too.

-- unused since: 0.2.0
-- if index stores.stores_user
ALTER TABLE stores DROP INDEX stores_user, ALGORITHM=INPLACE, LOCK=NONE;

-- The server made it for the foreign key. MySQL drops it by itself once products_category_newest exists.
-- unused since: 0.2.0
-- if index products.products_category
ALTER TABLE products DROP INDEX products_category, ALGORITHM=INPLACE, LOCK=NONE;
