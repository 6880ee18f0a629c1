import { Router } from 'express';
// The package's main module would load the whole script of the page into this process.
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

/** The files of the Swagger UI package that the page needs. */
const PAGE_FILES = ['favicon-32x32.png', 'swagger-ui.css', 'swagger-ui-bundle.js'].map((file) => `/docs/${file}`);

// At /openapi.json, Nginx serves the document of all services and a service its own. The page is the same.
const START = `SwaggerUIBundle({ url: '/openapi.json', dom_id: '#api', deepLinking: true, persistAuthorization: true });\n`;

/** Swagger UI uses inline styles and data: URLs for icons. Everything else is served from this origin. */
const CONTENT_SECURITY_POLICY =
  "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'";

/** `GET /openapi.json`, and `GET /docs`: a page to read and try the API. */
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
