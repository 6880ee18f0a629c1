/** `npm run bench -- NAME` runs one benchmark. Each measures a reference in the same run, so that ratios are meaningful. */
import { readdirSync } from 'node:fs';

const scenarios = readdirSync(new URL('./scenarios', import.meta.url)).map((file) => file.replace(/\.mjs$/, ''));
const [name, ...options] = process.argv.slice(2);
if (!name || !scenarios.includes(name)) {
  console.error(`usage: npm run bench -- NAME, where NAME is one of: ${scenarios.join(', ')}`);
  process.exit(2);
}
const { run } = await import(`./scenarios/${name}.mjs`);
process.exitCode = await run(options);
