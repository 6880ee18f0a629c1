import { STATUS_CODES } from 'node:http';
import type { ErrorDefinition } from '@shop/core/errors';
import { exampleProblem, statusOf } from '@shop/core/http';
import { escapeHtml, inlineHtml, toHtml } from './markdown';

const statusText = ({ kind }: ErrorDefinition): string => `${statusOf[kind]} ${STATUS_CODES[statusOf[kind]]}`;

export function errorPage(error: ErrorDefinition): string {
  const { code, description, when, action } = error;
  const example = JSON.stringify(exampleProblem(error), null, 2);
  return `<h1><code>${code}</code></h1>
<p class="status">${statusText(error)}</p>
<p>${escapeHtml(description)}</p>
<h2>When</h2>
<p>${inlineHtml(when)}</p>
<h2>What to do</h2>
<p>${inlineHtml(action)}</p>
<h2>Example</h2>
${toHtml(`\`\`\`http\nHTTP/1.1 ${statusText(error)}\nContent-Type: application/problem+json; charset=utf-8\n\n${example}\n\`\`\``)}
<p><a href="/docs/errors">All error codes</a></p>`;
}

export function errorList(errors: readonly ErrorDefinition[]): string {
  const sorted = errors.toSorted((a, b) => statusOf[a.kind] - statusOf[b.kind]);
  const rows = sorted.map(
    ({ kind, code, description }) =>
      `<tr><td>${statusOf[kind]}</td><td><a href="/docs/errors/${code}"><code>${code}</code></a></td><td>${escapeHtml(description)}</td></tr>`,
  );
  return `<h2 id="all-codes">All codes</h2>
<div class="table" tabindex="0" role="region" aria-labelledby="all-codes"><table>
<thead><tr><th scope="col">Status</th><th scope="col">Code</th><th scope="col">Meaning</th></tr></thead>
<tbody>
${rows.join('\n')}
</tbody>
</table></div>`;
}
