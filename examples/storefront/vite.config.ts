import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

const here = (file: string) => fileURLToPath(new URL(file, import.meta.url));

export default defineConfig({
  base: '/storefront/',
  resolve: {
    alias: {
      // Its source, so the shop can be built before and beside the services.
      '@shop/client': here('../../packages/client/src/index.ts'),
    },
  },
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    outDir: here('../../nginx/html/storefront'),
    emptyOutDir: true,
    // Nothing as data: URLs, which the Content-Security-Policy does not allow.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  // For `npm run dev -w examples/storefront`, against a shop that runs.
  server: {
    proxy: Object.fromEntries(
      ['/api', '/uploads', '/docs', '/openapi.json'].map((path) => [
        path,
        process.env.SHOP_URL ?? 'http://localhost:8000',
      ]),
    ),
  },
});
