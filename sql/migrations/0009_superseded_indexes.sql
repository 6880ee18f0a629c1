-- Each is a prefix of another index, or serves only a foreign key that another index serves too.

-- if index stores.stores_user
ALTER TABLE stores DROP INDEX stores_user;

-- The server made it for the foreign key. MySQL drops it by itself once products_category_newest exists.
-- if index products.products_category
ALTER TABLE products DROP INDEX products_category;
