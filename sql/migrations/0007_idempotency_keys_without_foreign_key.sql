-- The foreign key locked the user before the products, while all other statements lock products first.
-- unused since: 0.2.0
-- if foreign key idempotency_keys.idempotency_keys_user
ALTER TABLE idempotency_keys DROP FOREIGN KEY idempotency_keys_user, ALGORITHM=INPLACE, LOCK=NONE;
