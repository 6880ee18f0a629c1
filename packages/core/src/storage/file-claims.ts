import type { FileKind } from './file-kinds';

const KIND_OF_TYPE: Record<string, FileKind> = {
  'image/jpeg': 'jpg',
  'image/jpg': 'jpg',
  'image/pjpeg': 'jpg',
  'image/png': 'png',
  'image/x-png': 'png',
  'image/gif': 'gif',
  'image/webp': 'webp',
  'application/pdf': 'pdf',
  'application/x-pdf': 'pdf',
  'text/plain': 'txt',
  'text/markdown': 'txt',
  'text/csv': 'txt',
  'text/x-csv': 'txt',
  'text/comma-separated-values': 'txt',
  'text/x-comma-separated-values': 'txt',
  'application/csv': 'txt',
  'application/x-csv': 'txt',
  'text/tab-separated-values': 'txt',
  'text/tsv': 'txt',
  'text/x-log': 'txt',
};

/** Windows with Excel declares this type for a .csv file. It is ignored if the extension is that of a text file. */
const EXCEL = 'application/vnd.ms-excel';

const KIND_OF_EXTENSION: Record<string, FileKind> = {
  ...Object.fromEntries(['jpg', 'jpeg', 'jpe', 'jfif', 'pjpeg'].map((extension) => [extension, 'jpg'] as const)),
  ...Object.fromEntries(
    ['txt', 'text', 'md', 'markdown', 'csv', 'tsv', 'log', 'conf', 'ini'].map(
      (extension) => [extension, 'txt'] as const,
    ),
  ),
  png: 'png',
  gif: 'gif',
  webp: 'webp',
  pdf: 'pdf',
};

const splitWords = (list: string): string[] => list.trim().split(/\s+/);

/** Extensions of types that are not accepted. An accepted kind of content contradicts such a name. */
const OTHER_EXTENSIONS = new Set([
  ...splitWords('html htm xhtml shtml mhtml mht hta svg svgz xml xsl xslt rdf rss atom css json map wasm swf htaccess'),
  ...splitWords('js mjs cjs jsx ts tsx vbs wsf php phtml phar php3 php4 php5 php7 asp aspx jsp cgi pl py rb lua'),
  ...splitWords('sh bash zsh fish bat cmd com ps1 exe dll msi scr pif jar class apk dmg iso deb rpm lnk reg so'),
  ...splitWords('doc docx docm xls xlsx xlsm ppt pptx odt ods odp rtf ps eps psd ai'),
  ...splitWords('zip gz tgz tar bz2 xz 7z rar bmp tif tiff ico avif heic heif apng'),
  ...splitWords('mp3 mp4 m4a m4v webm mov avi mkv wav ogg flac'),
]);

/** Types that say nothing about the content. */
const NO_CLAIM = new Set(['', 'application/octet-stream', 'binary/octet-stream']);

export interface FileClaims {
  originalName: string;
  /** The media type that the client declared; empty when it declared none. */
  declaredType: string;
}

/** Whether both the declared media type and the extension of the file name are compatible with this kind of content. */
export function claimsAllow(kind: FileKind, { originalName, declaredType }: FileClaims): boolean {
  // Windows drops dots and spaces at the end of a name.
  const extension = /\.([^.\\/]+)$/.exec(originalName.replace(/[.\s]+$/, ''))?.[1]?.toLowerCase() ?? '';
  const claimed = kindIn(KIND_OF_EXTENSION, extension);
  if (claimed ? claimed !== kind : OTHER_EXTENSIONS.has(extension)) return false;
  const declared = declaredType.split(';')[0]?.trim().toLowerCase() ?? '';
  if (NO_CLAIM.has(declared) || (declared === EXCEL && claimed === 'txt')) return true;
  return kindIn(KIND_OF_TYPE, declared) === kind;
}

const kindIn = (kinds: Record<string, FileKind>, name: string): FileKind | undefined =>
  Object.hasOwn(kinds, name) ? kinds[name] : undefined;
