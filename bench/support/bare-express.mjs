/** The reference: an Express app that only sends the given bytes. It sends its port to the parent process. */
import { createRequire } from 'node:module';

const express = createRequire(new URL('../../packages/core/package.json', import.meta.url))('express');

process.once('message', ({ text, type }) => {
  const bytes = Buffer.from(text);
  const app = express();
  app.get('/', (_req, res) => {
    res.setHeader('Content-Type', type);
    res.send(bytes);
  });
  const server = app.listen(0, '127.0.0.1', () => process.send?.({ port: server.address().port }));
});
process.once('disconnect', () => process.exit(0));
