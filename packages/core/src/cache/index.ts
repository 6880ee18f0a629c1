export { type AnswerCache, type CacheRule, createAnswerCache, EVERYTHING } from './answer-cache';
export { createGeneration, GENERATION_TABLE, type GenerationStore, generationIn } from './generation';
export { invalidateIfGone } from './invalidate-if-gone';
