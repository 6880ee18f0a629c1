// Runs as root before a service, in the same task and from the same image. Fargate's volumes belong to root, services run as
// another user. Also writes the certificates that RDS's are signed with, because DB_TLS is the path of a file.
const { chmodSync, chownSync, writeFileSync } = require('node:fs');

const { TMP = '/tmp', UPLOADS, CA_FILE, CA } = process.env;
const NODE_USER = 1000;

chmodSync(TMP, 0o1777);
if (UPLOADS) chownSync(UPLOADS, NODE_USER, NODE_USER);
writeFileSync(CA_FILE, CA, { mode: 0o444 });
