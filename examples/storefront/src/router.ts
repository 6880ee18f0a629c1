import { createState } from './state.ts';

/**
 * Places are in the fragment (`/#/products/7`), so the server needs to know nothing about them and an unknown path of the API stays
 * a 404.
 */
export interface Place {
  /** The parts of the path. */
  path: string[];
  query: URLSearchParams;
}

function currentPlace(): Place {
  const [path = '', query] = location.hash.replace(/^#/, '').split('?');
  return { path: path.split('/').filter(Boolean).map(decodeURIComponent), query: new URLSearchParams(query) };
}

export const place = createState<Place>(currentPlace());
window.addEventListener('hashchange', () => place.set(currentPlace()));

export function linkTo(path: string, query: Record<string, string | undefined> = {}): string {
  const given = Object.entries(query).filter((entry): entry is [string, string] => Boolean(entry[1]));
  const text = new URLSearchParams(given).toString();
  return `#${path}${text && `?${text}`}`;
}

export function goTo(link: string): void {
  location.hash = link;
}
