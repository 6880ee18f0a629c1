-- unless column idempotency_keys.response
ALTER TABLE idempotency_keys ADD COLUMN response MEDIUMTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL COMMENT 'body of the first response', ALGORITHM=INSTANT;

-- unless column stock_movements.note
ALTER TABLE stock_movements ADD COLUMN note VARCHAR(255) NULL COMMENT 'of the user who changed the stock', ALGORITHM=INSTANT;
