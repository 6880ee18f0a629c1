export { createGeneration, GENERATION_TABLE, generationIn } from './generation';
export { invalidateIfChanged, invalidateIfGone, invalidateOn } from './invalidate-if-gone';
export { type CacheRule, createResponseCache, EVERYTHING, type ResponseCache } from './response-cache';
