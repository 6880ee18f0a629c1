// bundle.mjs
//
// Prints the client as one minified module, as a page gets it.
import { fileURLToPath } from 'node:url';
import { build } from 'vite';

const [{ output }] = await build({
  configFile: false,
  logLevel: 'silent',
  root: fileURLToPath(new URL('.', import.meta.url)),
  build: { write: false, minify: 'oxc', lib: { entry: 'src/index.ts', formats: ['es'], fileName: 'client' } },
});
process.stdout.write(output[0].code);
