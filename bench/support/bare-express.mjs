/** The reference: an Express app that only sends the given bytes. It listens on the given port or any, and sends it to the parent process. */
import { createRequire } from 'node:module';

const express = createRequire(new URL('../../packages/core/package.json', import.meta.url))('express');

process.once('message', ({ text, type, port = 0 }) => {
  const bytes = Buffer.from(text);
  const app = express();
  app.get('/', (_req, res) => {
    res.setHeader('Content-Type', type);
    res.send(bytes);
  });
  const server = app.listen(port, '127.0.0.1', () => process.send?.({ port: server.address().port }));
});
process.once('disconnect', () => process.exit(0));
