/**
 * The reference: a small service on Fastify that does for two reads of products what the product service does for them. A rate limit and
 * a cache in Redis, access tokens, request ids, a JSON log line per request, metrics, validated input and security headers.
 */
import { randomUUID } from 'node:crypto';
import helmet from '@fastify/helmet';
import jwt from '@fastify/jwt';
import rateLimit from '@fastify/rate-limit';
import Fastify, { LogController } from 'fastify';
import { Redis } from 'ioredis';
import { createPool } from 'mysql2/promise';
import { Histogram, Registry } from 'prom-client';

const CACHE_SECONDS = 300;
const UNLIMITED = 1_000_000;

process.once('disconnect', () => process.exit(0));
process.once('message', async ({ database, redis: { host, port }, secret, logFile }) => {
  const redis = new Redis({ host, port });
  const pool = createPool({ ...database, timezone: 'Z', connectionLimit: 10 });
  const app = await build({ redis, pool, secret, logFile });
  await app.listen({ port: 0, host: '127.0.0.1' });
  process.send?.({ port: app.server.address().port });
});

async function build({ redis, pool, secret, logFile }) {
  const app = Fastify({
    logger: { file: logFile },
    // One line per request, below.
    logController: new LogController({ disableRequestLogging: true }),
    requestIdHeader: 'x-request-id',
    genReqId: () => randomUUID(),
  });
  const registry = new Registry();
  const seconds = new Histogram({
    name: 'http_request_duration_seconds',
    help: 'Duration of requests',
    labelNames: ['method', 'route', 'status'],
    registers: [registry],
  });
  app.addHook('onRequest', async (request, reply) => {
    reply.header('x-request-id', request.id);
  });
  app.addHook('onResponse', async (request, reply) => {
    const { method, routeOptions, ip } = request;
    const labels = { method, route: routeOptions.url, status: reply.statusCode };
    seconds.observe(labels, reply.elapsedTime / 1000);
    request.log.info({ ...labels, ip, path: request.url, ms: reply.elapsedTime }, 'request');
  });
  await app.register(helmet);
  await app.register(rateLimit, { max: UNLIMITED, timeWindow: 1000, redis });
  await app.register(jwt, { secret, verify: { algorithms: ['HS256'] } });

  /** Sends what the cache has, or what `load` returns. */
  const cached = async (reply, key, load) => {
    reply.type('application/json; charset=utf-8');
    const found = await redis.get(key);
    if (found !== null) return reply.header('x-cache', 'HIT').send(found);
    const text = JSON.stringify(await load());
    await redis.set(key, text, 'EX', CACHE_SECONDS);
    return reply.header('x-cache', 'MISS').send(text);
  };

  const pageSchema = {
    type: 'object',
    additionalProperties: false,
    properties: {
      page: { type: 'integer', minimum: 1, default: 1 },
      limit: { type: 'integer', minimum: 1, maximum: 100, default: 10 },
    },
  };
  app.get('/api/v1/catalog/products', { schema: { querystring: pageSchema } }, async (request, reply) => {
    const { page, limit } = request.query;
    return await cached(reply, `catalog:${page}:${limit}`, async () => {
      const [rows] = await pool.query(
        `SELECT ${COLUMNS}, s.name AS store_name FROM products p JOIN stores s ON s.id = p.store_id
         ORDER BY p.created_at DESC, p.id DESC LIMIT ? OFFSET ?`,
        [limit, (page - 1) * limit],
      );
      const [[{ total }]] = await pool.query('SELECT COUNT(*) AS total FROM products');
      const { id, created_at } = rows.at(-1) ?? {};
      const next_cursor = Buffer.from(`${id}:${created_at?.toISOString()}`).toString('base64url');
      return { data: rows.map(toCatalogProduct), pagination: { page, limit, total, next_cursor } };
    });
  });

  const idSchema = { type: 'object', properties: { id: { type: 'integer', minimum: 1 } } };
  app.get('/api/v1/products/:id', { schema: { params: idSchema } }, async (request, reply) => {
    await request.jwtVerify();
    const { id } = request.params;
    return await cached(reply, `product:${id}`, async () => {
      const [[row]] = await pool.query(`SELECT ${COLUMNS} FROM products p WHERE p.id = ?`, [id]);
      if (row === undefined) throw Object.assign(new Error('not found'), { statusCode: 404 });
      return toProduct(row);
    });
  });
  app.get('/metrics', async () => await registry.metrics());
  return app;
}

const COLUMNS = 'p.id, p.store_id, p.category_id, p.name, p.description, p.price, p.stock, p.image, p.created_at';

const toProduct = ({ image, ...row }) => ({
  ...row,
  price: Number(row.price),
  image_url: image === null ? null : `/uploads/${image}`,
});

const toCatalogProduct = ({ store_name: name, ...row }) => ({
  ...toProduct(row),
  store: { id: row.store_id, name },
});
