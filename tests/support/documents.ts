import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { repoRoot } from '@shop/test-servers';

/** What a document says about one of its shell blocks, in the words after the language (CONTRIBUTING.md, "Documents"). */
type Tag = 'start' | 'run' | 'dry' | 'shown';

export interface Block {
  document: string;
  line: number;
  language: string;
  /** The words after the language. */
  info: string;
  text: string;
}

export interface ShellBlock extends Block {
  /** Undefined if there is none, or if `shown` has no reason. */
  tag: Tag | undefined;
}

export interface Link {
  document: string;
  line: number;
  /** As written, without the anchor. */
  file: string;
  anchor: string | undefined;
}

const SHELLS = ['sh', 'bash', 'shell', 'console', 'zsh', 'shell-session'];
const SKIPPED = new Set(['node_modules', 'dist', '.git', '.data', 'cdk.out']);

/** The runbooks' commands are for the containers of a deployment, which a test does not have. */
const untagged = (document: string): string => (document.startsWith('docs/runbooks/') ? 'dry' : '');

/** Every Markdown file, relative to the root. */
export const documents: readonly string[] = markdownIn('');

function markdownIn(folder: string): string[] {
  return readdirSync(path.join(repoRoot, folder), { withFileTypes: true }).flatMap((entry) => {
    if (SKIPPED.has(entry.name)) return [];
    const name = path.join(folder, entry.name);
    if (entry.isDirectory()) return markdownIn(name);
    return entry.name.endsWith('.md') ? [name] : [];
  });
}

const FENCED = /^( *)```(\S*) *(.*)\n([\s\S]*?)^\1```$/gm;

export const textOf = (document: string): string => readFileSync(path.join(repoRoot, document), 'utf8');

/** The fenced blocks of a document, without their indentation. */
export function blocksIn(document: string, text = textOf(document)): Block[] {
  return [...text.matchAll(FENCED)].map(({ index, 1: indent = '', 2: language = '', 3: info = '', 4: block = '' }) => ({
    document,
    line: lineAt(text, index),
    language,
    info,
    text: block.replaceAll(new RegExp(`^${indent}`, 'gm'), ''),
  }));
}

export function shellBlocksIn(document: string, text?: string): ShellBlock[] {
  return blocksIn(document, text)
    .filter(({ language }) => SHELLS.includes(language))
    .map((block) => ({ ...block, tag: tagOf(block.info || untagged(document)) }));
}

function tagOf(info: string): Tag | undefined {
  const [tag] = /^(start|run|dry)$|^shown(?=: \S)/.exec(info) ?? [];
  return tag as Tag | undefined;
}

/** The relative links of a document. */
export function linksIn(document: string, text = textOf(document)): Link[] {
  const prose = text.replaceAll(FENCED, blank).replaceAll(/`[^`\n]*`/g, blank);
  return [...prose.matchAll(/\]\((?!https?:|mailto:)([^)#\s]*)(?:#([^)\s]*))?\)/g)].map(
    ({ index, 1: file = '', 2: anchor }) => ({ document, line: lineAt(text, index), file, anchor }),
  );
}

/** The anchors that GitHub gives to a document's headings. */
export function anchorsIn(document: string): Set<string> {
  const prose = textOf(document).replaceAll(FENCED, blank);
  return new Set([...prose.matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) => anchorOf(heading)));
}

const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}_ -]/gu, '')
    .replaceAll(' ', '-');

/** Keeps the number of lines and the offsets. */
const blank = (text: string): string => text.replaceAll(/[^\n]/g, ' ');
const lineAt = (text: string, index: number): number => text.slice(0, index).split('\n').length;
