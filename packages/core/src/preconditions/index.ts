export { entityTag, gzipTag, tagNamedBy } from './entity-tag';
export { assertMatches, assertUnchanged, type IfMatch, writeIfUnchanged } from './if-match';
