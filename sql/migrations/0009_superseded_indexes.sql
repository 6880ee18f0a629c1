-- replaces: 93d3df96673659bb12d2c4f8d68a03aebb75b2c27a341391dee4af08b04b07b6
-- replaces: 5ab4bd33e2f2beea774b34a2377ecc406d0b10612e29d182e448ed3f4d173095

-- Each is a prefix of another index, or serves only a foreign key that another index serves too.

-- unused since: 0.2.0
-- if index stores.stores_user
ALTER TABLE stores DROP INDEX stores_user, ALGORITHM=INPLACE, LOCK=NONE;

-- The server made it for the foreign key. MySQL drops it by itself once products_category_newest exists.
-- unused since: 0.2.0
-- if index products.products_category
ALTER TABLE products DROP INDEX products_category, ALGORITHM=INPLACE, LOCK=NONE;
