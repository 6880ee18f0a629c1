import type { Request, Response } from 'express';
import { rateLimited } from '../errors';
import { limitRate, withinLimit } from './limit-rate';

test('a refusal does not wait for what the endpoint waits for, such as a frozen database', async () => {
  const [req, res] = [{ method: 'GET', path: '/things/1' } as Request, { locals: {} } as Response];
  const cached = { path: '/things/:id', cache: () => ({ key: '', scopes: [], ttlSeconds: 1 }) };
  const next = jest.fn();
  limitRate((_req, _res, decide) => decide(rateLimited()), [cached as never])(req, res, next);
  expect(next).toHaveBeenCalledWith();
  const respond = withinLimit(cached, () => new Promise(() => undefined));
  await expect(respond(req, res)).rejects.toMatchObject({ code: 'rate_limited' });
});
