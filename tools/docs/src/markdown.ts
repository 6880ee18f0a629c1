import { Marked, type Tokens } from 'marked';

export const escapeHtml = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');

const marked = new Marked({
  renderer: {
    heading({ tokens, depth, text }: Tokens.Heading) {
      return `<h${depth} id="${anchorOf(text)}">${this.parser.parseInline(tokens)}</h${depth}>\n`;
    },
    // Scrolls on a phone, also by keyboard.
    code({ text }: Tokens.Code) {
      return `<pre tabindex="0"><code>${escapeHtml(text)}</code></pre>\n`;
    },
    table(token: Tokens.Table) {
      const row = (cells: Tokens.TableCell[], tag: string) =>
        `<tr>${cells.map(({ tokens }) => `<${tag}>${this.parser.parseInline(tokens)}</${tag.split(' ')[0]}>`).join('')}</tr>\n`;
      return `<div class="table" tabindex="0"><table>\n<thead>${row(token.header, 'th scope="col"')}</thead>\n<tbody>\n${token.rows.map((cells) => row(cells, 'td')).join('')}</tbody>\n</table></div>\n`;
    },
    link({ href, tokens }: Tokens.Link) {
      return `<a href="${escapeHtml(pageOf(href))}">${this.parser.parseInline(tokens)}</a>`;
    },
  },
});

export const toHtml = (markdown: string): string => marked.parse(markdown, { async: false });
export const inlineHtml = (markdown: string): string => marked.parseInline(markdown, { async: false });

/** As GitHub names headings, so that a link works in both places. */
const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}_ -]/gu, '')
    .replaceAll(' ', '-');

/** A link to a neighbouring Markdown file leads to its page. */
const pageOf = (href: string): string =>
  href.replace(/^([\w-]+)\.md(?=#|$)/, (_, name: string) => (name === 'index' ? '/docs' : `/docs/${name}`));
