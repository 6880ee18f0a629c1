import { fork } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { JWT_SECRET } from './shop.mjs';

/** An Express app that only sends this text. */
export const startBareExpress = ({ text, type }) => startReference('./bare-express.mjs', { text, type });

/** An Express app whose multer writes uploads to this folder. */
export const startBareMulter = ({ folder }) => startReference('./bare-multer.mjs', { folder });

/** A small Fastify service with the duties of ours, on the shop's database and Redis. */
export const startFastify = ({ database, redis, dir }) =>
  startReference('../references/fastify-service.mjs', {
    database,
    redis,
    secret: JWT_SECRET,
    logFile: path.join(dir, 'fastify.log'),
  });

/** A process that gets a message, sends back its port, and exits when this process disconnects. */
async function startReference(file, message) {
  const child = fork(fileURLToPath(new URL(file, import.meta.url)), {
    env: { ...process.env, NODE_ENV: 'production' },
  });
  child.send(message);
  const answer = await Promise.race([once(child, 'message'), once(child, 'exit')]);
  const { port } = answer[0] ?? {};
  if (port === undefined) throw new Error(`${file} did not start`);
  return {
    url: `http://127.0.0.1:${port}`,
    pid: child.pid,
    async stop() {
      const exited = once(child, 'exit');
      child.disconnect();
      await exited;
    },
  };
}
