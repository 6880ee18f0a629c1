-- replaces: 2130865651f9e0523b62b999c897faa53d5e4d30822f798cc0ae9ced4133897b
-- replaces: 4e64150a5a8ef24c6a57cebe190817d37e9f718e6b6495a68c4c717d2f4137b7

-- The foreign key locked the user before the products, while all other statements lock products first.
-- unused since: 0.2.0
-- if foreign key idempotency_keys.idempotency_keys_user
ALTER TABLE idempotency_keys DROP FOREIGN KEY idempotency_keys_user, ALGORITHM=INPLACE, LOCK=NONE;
