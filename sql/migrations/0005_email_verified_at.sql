-- replaces: 822a74b15708727c7cdc85b8a5a3a1d20e196132bf672d32276babb0a83074f0
-- replaces: dbc055aee5a40debbcb608b8524e300838df1ca98f08465af8ffc80eeb2c4fcb

-- unless column users.email_verified_at
ALTER TABLE users ADD COLUMN email_verified_at DATETIME(3) NULL AFTER created_at, ALGORITHM=INSTANT;

-- Only the comment changes: `npm run db:apply` of 0.2.0 added the column without it.
ALTER TABLE users
  MODIFY email_verified_at DATETIME(3) NULL COMMENT 'the holder of the mailbox was here: by Google or by a mailed token',
  ALGORITHM=INSTANT;
