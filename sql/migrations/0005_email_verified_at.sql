-- unless column users.email_verified_at
ALTER TABLE users ADD COLUMN email_verified_at DATETIME(3) NULL AFTER created_at, ALGORITHM=INSTANT;

-- Only the comment changes: `npm run db:apply` of 0.2.0 added the column without it.
ALTER TABLE users
  MODIFY email_verified_at DATETIME(3) NULL COMMENT 'the holder of the mailbox was here: by Google or by a mailed token',
  ALGORITHM=INSTANT;
