import { Router } from 'express';
// Its main module would load the whole page's script into this process.
import getAbsoluteFSPath from 'swagger-ui-dist/absolute-path';
import { allowOnly } from './allow';
import type { OpenApiDocument } from './openapi';
import { contextOf } from './request-context';

const PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>API</title>
<link rel="icon" href="/docs/favicon-32x32.png">
<link rel="stylesheet" href="/docs/swagger-ui.css">
</head>
<body>
<div id="api"></div>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</body>
</html>
`;

/** All that the page needs of Swagger UI's package. */
const PAGE_FILES = ['favicon-32x32.png', 'swagger-ui.css', 'swagger-ui-bundle.js'].map((file) => `/docs/${file}`);

// Nginx answers /openapi.json with all services' document, a service with its own: the page is the same.
const START = `SwaggerUIBundle({ url: '/openapi.json', dom_id: '#api', deepLinking: true, persistAuthorization: true });\n`;

/** Swagger UI styles its elements inline and draws icons from data: URLs; everything else comes from here. */
const CONTENT_SECURITY_POLICY =
  "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'";

/** `GET /openapi.json` and `GET /docs`: a page to read and try the API, all of it served from here. */
export function docsRoutes(document: OpenApiDocument): Router {
  const router = Router({ caseSensitive: true, strict: true });
  const json = JSON.stringify(document);
  router.use(['/docs', '/openapi.json'], (req, res, next) => {
    if (req.method === 'GET' || req.method === 'HEAD')
      contextOf(res).route = req.baseUrl === '/docs' ? '/docs' : '/openapi.json';
    next();
  });
  router.get('/openapi.json', (_req, res) => {
    res.type('json').send(json);
  });
  router.use('/docs', (_req, res, next) => {
    res.setHeader('Content-Security-Policy', CONTENT_SECURITY_POLICY);
    next();
  });
  router.get('/docs', (_req, res) => {
    res.type('html').send(PAGE);
  });
  router.get('/docs/start.js', (_req, res) => {
    res.type('js').send(START);
  });
  router.get(PAGE_FILES, (req, res) => {
    res.sendFile(req.path.slice('/docs/'.length), { root: getAbsoluteFSPath(), etag: true, maxAge: '1h' });
  });
  router.all(['/openapi.json', '/docs', '/docs/start.js', ...PAGE_FILES], allowOnly(['GET']));
  return router;
}
