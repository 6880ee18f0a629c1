import { createHash } from 'node:crypto';
import { type Request, type RequestHandler, type Response, Router } from 'express';
// The package's main module would load the whole script of the page into this process.
import getAbsoluteFSPath from 'swagger-ui-dist/absolute-path';
import { allowOnly } from './allow';
import { type DocsPage, docsDocument, ICON, REFERENCE_PATH, STYLE } from './docs-layout';
import type { OpenApiDocument } from './openapi';
import { represent, sendRepresentation } from './representation';
import { contextOf } from './request-context';

/** The files of the Swagger UI package that the reference needs. */
const SWAGGER_FILES = ['swagger-ui.css', 'swagger-ui-bundle.js'].map((file) => `/docs/${file}`);

const REFERENCE = {
  path: REFERENCE_PATH,
  title: 'Reference',
  head: '<link rel="stylesheet" href="/docs/swagger-ui.css">\n',
  // Swagger UI makes a `main` of its own.
  content: `<div id="api"><noscript>The reference needs JavaScript. The document itself is at <a href="/openapi.json">/openapi.json</a>.</noscript></div>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/reference.js"></script>`,
};

// At /openapi.json, Nginx serves the document of all services and a service its own. The page is the same.
const START = `SwaggerUIBundle({
  url: '/openapi.json',
  dom_id: '#api',
  deepLinking: true,
  persistAuthorization: true,
  tryItOutEnabled: true,
  docExpansion: 'list',
  defaultModelsExpandDepth: 0,
});
const dark = matchMedia('(prefers-color-scheme: dark)');
const follow = () => document.documentElement.classList.toggle('dark-mode', dark.matches);
dark.addEventListener('change', follow);
follow();
`;

const POLICY =
  "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** Swagger UI has data: URLs for icons. Everything else comes from this origin. */
const REFERENCE_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** The address in the examples of the pages: the gateway of the local environment. */
const EXAMPLE_ORIGIN = 'http://localhost:8000';

/**
 * `GET /openapi.json`, `GET /docs/reference` to read and try the API, and the pages.
 * @param pages made by tools/docs; with a home at `/docs`
 */
export function docsRoutes(document: OpenApiDocument, pages: readonly DocsPage[]): Router {
  const router = Router({ caseSensitive: true, strict: true });
  const paths: string[] = [];
  const get = (path: string, handler: RequestHandler) => {
    paths.push(path);
    router.get(path, handler);
  };

  router.use(['/docs', '/openapi.json'], function setDocsRoute(req, res, next) {
    if (req.method === 'GET' || req.method === 'HEAD')
      contextOf(res).route = req.baseUrl === '/docs' ? '/docs' : '/openapi.json';
    next();
  });
  const json = represent(JSON.stringify(document), { 'Cache-Control': 'no-cache' });
  get('/openapi.json', async (req, res) => {
    await sendRepresentation(req, res, json);
  });

  router.use('/docs', function setPolicy(req, res, next) {
    res.setHeader('Content-Security-Policy', req.path === '/reference' ? REFERENCE_POLICY : POLICY);
    next();
  });
  for (const { path, title, html } of pages) {
    get(path, sender('html', docsDocument({ path, title, content: `<main>\n${html}\n</main>`, pages })));
  }
  get(REFERENCE_PATH, sender('html', docsDocument({ ...REFERENCE, pages })));
  get('/docs/reference.js', sender('js', START));
  get('/docs/docs.css', sender('css', STYLE));
  get('/docs/icon.svg', sender('svg', ICON));
  for (const path of SWAGGER_FILES) {
    get(path, (_req, res) => {
      res.sendFile(path.slice('/docs/'.length), { root: getAbsoluteFSPath(), etag: true, maxAge: '1h' });
    });
  }
  router.all(paths, allowOnly(['GET']));
  return router;
}

function sender(type: string, text: string): RequestHandler {
  const etag = `"${createHash('sha256').update(text).digest('base64url').slice(0, 22)}"`;
  return function sendDocsFile(req: Request, res: Response) {
    res.set({ ETag: etag, 'Cache-Control': 'public, max-age=300' });
    res.type(type).send(type === 'html' ? text.replaceAll(EXAMPLE_ORIGIN, originOf(req)) : text);
  };
}

/** The gateway's address as the client sees it, so that the calls in the pages work as they are. */
function originOf({ ips, protocol, host }: Request): string {
  const isFromGateway = ips.length > 0;
  return isFromGateway && /^[\w.-]+(:\d+)?$|^\[[\da-f:]+\](:\d+)?$/i.test(host)
    ? `${protocol}://${host}`
    : EXAMPLE_ORIGIN;
}
