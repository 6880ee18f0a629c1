import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { ErrorDefinition } from '@shop/core/errors';
import type { DocsPage } from '@shop/core/http';
import { errorList, errorPage } from './error-pages';
import { toHtml } from './markdown';

/** Where the Markdown is, so that it can be read in the repository, too. */
const FOLDER = path.join(__dirname, '../../../docs/api');

/** In the order of the navigation. */
const PAGES = [
  'index',
  'getting-started',
  'authentication',
  'errors',
  'pagination',
  'idempotency',
  'caching',
  'rate-limits',
] as const;

/** All pages below `/docs`: those of docs/api, and one for each error code. */
export function renderDocs(errors: readonly ErrorDefinition[]): DocsPage[] {
  const unique = uniqueByCode(errors);
  const pages = PAGES.map((name) => {
    const text = readFileSync(path.join(FOLDER, `${name}.md`), 'utf8');
    const [, title = ''] = /^# (.*)$/m.exec(text) ?? [];
    return {
      path: name === 'index' ? '/docs' : `/docs/${name}`,
      title,
      html: article(toHtml(text) + (name === 'errors' ? errorList(unique) : '')),
    };
  });
  const errorPages = unique.map((error) => ({
    path: `/docs/errors/${error.code}`,
    title: error.code,
    html: article(errorPage(error)),
  }));
  return [...pages, ...errorPages];
}

const article = (html: string): string => `<article>\n${html.trim()}\n</article>`;

/** @throws Error if two definitions of a code differ: the code has one page */
function uniqueByCode(errors: readonly ErrorDefinition[]): ErrorDefinition[] {
  const byCode = new Map<string, ErrorDefinition>();
  for (const error of errors) {
    const known = byCode.get(error.code) ?? error;
    if (known.kind !== error.kind || known.when !== error.when || known.action !== error.action) {
      throw new Error(`two definitions of ${error.code} say different things`);
    }
    byCode.set(error.code, known);
  }
  return [...byCode.values()].sort((a, b) => (a.code < b.code ? -1 : 1));
}
