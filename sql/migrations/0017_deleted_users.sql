-- unless column users.deleted_at
ALTER TABLE users ADD COLUMN deleted_at DATETIME(3) NULL COMMENT 'the row stays for its orders, without personal data', ALGORITHM=INSTANT;

-- unless index users.users_present
ALTER TABLE users ADD INDEX users_present (deleted_at, created_at, id), ALGORITHM=INPLACE, LOCK=NONE;
