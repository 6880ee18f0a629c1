import { readFileSync } from 'node:fs';
import path from 'node:path';
import { repoRoot } from '@shop/test-servers';

/**
 * No program here sends the .http file: the REST Client runs only in its editor. Newman sends the Postman collection, so it is
 * enough that both have the same requests.
 */

interface SentRequest {
  title: string;
  line: string;
  headers: string[];
  body: string;
}

interface Collection {
  item: {
    name: string;
    request: {
      method: string;
      url: string;
      header: { key: string; value: string }[];
      body?: { raw: string };
    };
    event: { script: { exec: string[] } }[];
  }[];
}

const textOf = (file: string) => readFileSync(path.join(repoRoot, 'docs/openapi', file), 'utf8');
const sections = textOf('shop.http').split('### ').slice(1);
const { item: items }: Collection = JSON.parse(textOf('shop.postman_collection.json'));

// Each format has its own names for a random phone number.
const samePhone = (body: string) => body.replace(/"phone": ".*"/, '"phone": "random"');

const inHttpFile: SentRequest[] = sections.map((section) => {
  const [head = '', ...body] = section.trim().split('\n\n');
  const [title = '', , line = '', ...headers] = head.split('\n');
  return { title, line, headers, body: samePhone(body.join('\n\n')) };
});

/** What the collection saves from a response, as the .http file names it: by the name of the request. */
const savedFields = items.flatMap(({ event }, index) => {
  const name = /^# @name (\w+)$/m.exec(sections[index] ?? '')?.[1];
  const scripts = event.flatMap(({ script }) => script.exec).join('\n');
  return [...scripts.matchAll(/Variables\.set\('(\w+)', body\?\.\["(\w+)"\]\)/g)].map(
    ([, variable, field]) => [`{{${variable}}}`, `{{${name}.response.body.$.${field}}}`] as const,
  );
});
const inHttpTerms = (text: string) =>
  savedFields.reduce((result, [variable, field]) => result.replaceAll(variable, field), text);

const inCollection: SentRequest[] = items.map(({ name, request, event }) => ({
  title: `${name} (${/status (\d+)/.exec(event[0]?.script.exec[0] ?? '')?.[1]})`,
  line: inHttpTerms(`${request.method} ${request.url}`),
  headers: request.header.map(({ key, value }) => inHttpTerms(`${key}: ${value}`)),
  body: samePhone(inHttpTerms(request.body?.raw ?? '')),
}));

test('the .http file has the requests of the Postman collection, in the same order', () => {
  expect(inHttpFile.length).toBeGreaterThan(10);
  expect(savedFields.length).toBeGreaterThan(5);
  expect(inHttpFile).toEqual(inCollection);
});

test('each request of the .http file uses only responses of requests before it', () => {
  const used = sections.flatMap((section, index) =>
    [...section.matchAll(/\{\{(\w+)\.response\./g)].map(([, name]) => ({ name, index })),
  );
  expect(used.length).toBeGreaterThan(10);
  for (const { name, index } of used) {
    expect(sections.slice(0, index).join('')).toContain(`# @name ${name}\n`);
  }
});
