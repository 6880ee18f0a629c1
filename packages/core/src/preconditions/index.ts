export { entityTag, gzipTag, tagNamedBy } from './entity-tag';
export { assertMatches, assertUnchanged, type IfMatch, writeExisting, writeIfUnchanged } from './if-match';
