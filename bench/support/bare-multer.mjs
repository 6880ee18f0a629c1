/** The reference: an Express app whose multer writes the file of a form to the given folder. Sends its port to the parent process. */
import { createRequire } from 'node:module';

const load = createRequire(new URL('../../packages/core/package.json', import.meta.url));
const express = load('express');
const multer = load('multer');

process.once('message', ({ folder }) => {
  const app = express();
  app.post('/', multer({ dest: folder }).single('file'), (req, res) => {
    const { filename, originalname, size } = req.file;
    res.status(201).json({ url: `/uploads/${filename}`, filename: originalname, size });
  });
  const server = app.listen(0, '127.0.0.1', () => process.send({ port: server.address().port }));
});
process.once('disconnect', () => process.exit(0));
