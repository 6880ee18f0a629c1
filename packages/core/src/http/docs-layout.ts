/** A page below `/docs`. */
export interface DocsPage {
  path: string;
  title: string;
  /** The content of `main`. */
  html: string;
}

export const REFERENCE_PATH = '/docs/reference';

const escapeHtml = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');

interface Layout {
  path: string;
  title: string;
  /** What follows the navigation, with one `main`. */
  content: string;
  /** All pages. Those directly below the home are in the navigation. */
  pages: readonly DocsPage[];
  /** Further elements of `head`. */
  head?: string;
}

/** The whole document. It has no inline script or style, so its policy can forbid both. */
export function docsDocument({ path, title, content, pages, head = '' }: Layout): string {
  const home = pages.find((page) => page.path === '/docs');
  const linked = pages.filter((page) => /^\/docs\/[\w-]+$/.test(page.path));
  const link = (to: string, text: string) =>
    `<a href="${to}"${to === path ? ' aria-current="page"' : ''}>${escapeHtml(text)}</a>`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escapeHtml(title)}</title>
<link rel="icon" href="/docs/icon.svg">
<link rel="stylesheet" href="/docs/docs.css">
${head}</head>
<body>
<header>
<nav aria-label="Documentation">
${[
  ...(home ? [link(home.path, home.title)] : []),
  ...linked.map((page) => link(page.path, page.title)),
  link(REFERENCE_PATH, 'Reference'),
].join('\n')}
</nav>
</header>
${content}
</body>
</html>
`;
}

export const ICON = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="7" fill="#0b6e4f"/>
<path d="M9 12h14l-1.4 13H10.4z" fill="#fff"/><path d="M12.5 14v-3.5a3.5 3.5 0 0 1 7 0V14" fill="none" stroke="#fff" stroke-width="2"/></svg>
`;

export const STYLE = `:root {
  color-scheme: light dark;
  --text: #1c2024; --quiet: #5b6169; --back: #fff; --raised: #f4f6f7; --line: #d9dee2; --link: #0a6148;
}
@media (prefers-color-scheme: dark) {
  :root { --text: #e6e9eb; --quiet: #a4abb2; --back: #14181b; --raised: #1f2529; --line: #353d43; --link: #6fd3b0; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--back); color: var(--text); font: 1rem/1.6 system-ui, sans-serif; }
/* Swagger UI has its own style, so the style of texts is only for articles. */
:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; }
body > header { border-bottom: 1px solid var(--line); background: var(--raised); }
nav { display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; max-width: 76rem; margin: 0 auto; padding: .75rem 1.25rem; }
nav a { padding: .125rem 0; color: var(--text); text-decoration: none; }
nav a:first-child { font-weight: 600; }
nav a:hover, nav a[aria-current] { color: var(--link); text-decoration: underline; text-underline-offset: .3em; }
article { max-width: 48rem; margin: 0 auto; padding: 1rem 1.25rem 4rem; overflow-wrap: break-word; }
h1 { font-size: 1.9rem; line-height: 1.25; }
article h2 { margin-top: 2.25rem; font-size: 1.3rem; }
article a { color: var(--link); }
article :is(code, pre) { font-family: ui-monospace, "DejaVu Sans Mono", monospace; font-size: .875em; }
article code { padding: .1em .3em; border-radius: 4px; background: var(--raised); }
article pre { overflow-x: auto; padding: .9rem 1rem; border: 1px solid var(--line); border-radius: 8px; background: var(--raised); line-height: 1.5; }
article :is(pre, h1) code { padding: 0; background: none; font-size: 1em; }
.status { color: var(--quiet); }
.table { overflow-x: auto; }
.table table { width: 100%; border-collapse: collapse; }
.table :is(th, td) { padding: .5rem 1rem .5rem 0; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; }
.table td :is(a, code) { white-space: nowrap; }
`;
