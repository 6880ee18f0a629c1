import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import express from 'express';
import { createAppServer } from './create-server';

test('Express finds no prototype to change, and its methods work', async () => {
  const app = express();
  const prototypes: unknown[] = [];
  const server = createAppServer(app);
  server.prependListener('request', function beforeExpress(req, res) {
    prototypes.push(Object.getPrototypeOf(req), Object.getPrototypeOf(res));
  });
  app.get('/', (req, res) => {
    expect([Object.getPrototypeOf(req), Object.getPrototypeOf(res)]).toEqual(prototypes);
    res.json({ hostname: req.hostname, app: req.app === app && res.app === app });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const response = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  server.close();
  expect(await response.json()).toEqual({ hostname: '127.0.0.1', app: true });
  expect(prototypes).toEqual([app.request, app.response]);
});
