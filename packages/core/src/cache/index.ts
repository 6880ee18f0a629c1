export { createGeneration, GENERATION_TABLE, generationIn } from './generation';
export { invalidateIfGone } from './invalidate-if-gone';
export { type CacheRule, createResponseCache, EVERYTHING, type ResponseCache } from './response-cache';
