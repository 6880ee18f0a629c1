/**
 * npm run bench                       the scenarios that have an aim, in one table; without the longest: -- --skip lists
 * npm run bench -- --write            the same, and writes the results into bench/README.md
 * npm run bench -- NAME [OPTIONS]     one scenario
 * npm run bench -- --short            for CI: fails if a reference's CPU time, as a share of ours, is a fifth below bench/baseline.json
 * npm run bench -- --short --write    writes bench/baseline.json
 */
import { readdirSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import os from 'node:os';
import { parseArgs } from 'node:util';
import { CPU_SHARE, figure, figuresTable } from './support/figures.mjs';

/** The scenarios of the table, the longest last. */
const TABLE = [
  'cached',
  'checkout',
  'hot-product',
  'endpoints',
  'small-uploads',
  'uploads',
  'start',
  'overload',
  'lists',
];
/** Those of the short form, with their options. */
const SHORT = { cached: ['15', '2500', '1'], checkout: ['7', '1000', '1'] };
const MAY_FALL_TO = 0.8;
const ATTEMPTS = 3;
const BASELINE = new URL('./baseline.json', import.meta.url);
const README = new URL('./README.md', import.meta.url);
const RESULTS = '## Results';

const scenarios = readdirSync(new URL('./scenarios', import.meta.url)).map((file) => file.replace(/\.mjs$/, ''));

async function runScenario(scenario, options = []) {
  const { run } = await import(`./scenarios/${scenario}.mjs`);
  const start = performance.now();
  const { figures = [], details = '' } = asResult(scenario, await run(options));
  if (details !== '') console.log(`\n${details}`);
  if (figures.length > 0) console.log(`\n${figuresTable(figures)}`);
  console.log(`\n${scenario}: ${Math.round((performance.now() - start) / 1000)} s\n`);
  return { scenario, figures, details };
}

/** Some return nothing, some only 0 or 1: whether they missed an aim. */
const asResult = (scenario, result) =>
  typeof result === 'number'
    ? { figures: [figure(`${scenario}: missed an aim`, result, '', { atMost: 0 })] }
    : (result ?? {});

/** A scenario that fails does not keep the others from running. */
async function runTable(names) {
  const results = [];
  for (const scenario of names) {
    try {
      results.push(await runScenario(scenario));
    } catch (error) {
      console.error(error);
      const failed = figure(`${scenario} failed: ${error.message}`, 1, '', { atMost: 0 });
      results.push({ scenario, figures: [failed], details: '' });
    }
  }
  const figures = results.flatMap((result) => result.figures);
  const withAim = figures.filter(({ aim }) => aim !== undefined);
  console.log(
    `${figuresTable(figures)}\n\n${withAim.filter(({ reached }) => reached).length} of ${withAim.length} aims reached`,
  );
  return { results, figures };
}

async function writeReadme({ results, figures }, minutes) {
  const [cpu] = os.cpus();
  const parts = [
    (await readFile(README, 'utf8')).split(RESULTS)[0].trimEnd(),
    RESULTS,
    `Of ${new Date().toISOString().slice(0, 10)}, Node ${process.version}, ${os.cpus().length} × ${cpu.model}, ${minutes} minutes.`,
    figuresTable(figures),
    ...results
      .filter(({ details }) => details !== '')
      .map(({ scenario, details }) => `### \`${scenario}\`\n\n${details}`),
  ];
  await writeFile(README, `${parts.join('\n\n')}\n`);
}

/** @returns the shares of CPU time by figure */
async function measureShares() {
  const results = [];
  for (const [scenario, options] of Object.entries(SHORT)) results.push(await runScenario(scenario, options));
  const shares = results.flatMap(({ figures }) => figures).filter(({ unit }) => unit === CPU_SHARE);
  return Object.fromEntries(shares.map(({ figure: name, value }) => [name, Number(value.toFixed(3))]));
}

const allReached = (figures) => figures.every(({ reached }) => reached !== false);

/**
 * Measures up to `ATTEMPTS` times and keeps the best of each figure: on a busy machine, one of a few hundred figures is a fifth off.
 * A slower request is slower each time.
 */
async function compareWithBaseline() {
  const { shares } = JSON.parse(await readFile(BASELINE, 'utf8'));
  const best = {};
  for (let attempt = 1; ; attempt += 1) {
    for (const [name, share] of Object.entries(await measureShares())) best[name] = Math.max(share, best[name] ?? 0);
    const figures = Object.entries(shares).map(([name, share]) =>
      figure(name, best[name], CPU_SHARE, { atLeast: Number((share * MAY_FALL_TO).toFixed(3)) }),
    );
    console.log(`The aims are ${MAY_FALL_TO} of bench/baseline.json.\n\n${figuresTable(figures)}`);
    if (allReached(figures) || attempt === ATTEMPTS) return figures;
  }
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    short: { type: 'boolean' },
    write: { type: 'boolean' },
    skip: { type: 'string', multiple: true, default: [] },
  },
  strict: true,
});
const [name, ...options] = positionals;
const start = performance.now();
let figures = [];
if (name !== undefined && !scenarios.includes(name)) {
  console.error(`there is no ${name}; there are ${scenarios.join(', ')}`);
  process.exit(2);
} else if (name !== undefined) {
  ({ figures } = await runScenario(name, options));
} else if (values.short && values.write) {
  const shares = await measureShares();
  await writeFile(BASELINE, `${JSON.stringify({ date: new Date().toISOString().slice(0, 10), shares }, null, 2)}\n`);
} else if (values.short) {
  figures = await compareWithBaseline();
} else {
  const table = await runTable(
    TABLE.filter((scenario) => scenarios.includes(scenario) && !values.skip.includes(scenario)),
  );
  if (values.write) await writeReadme(table, Math.round((performance.now() - start) / 60_000));
  ({ figures } = table);
}
process.exitCode = allReached(figures) ? 0 : 1;
