import { Module } from 'node:module';

/**
 * zod loads its messages in 60 languages, which costs each process 4 MiB and 30 ms. Only the English ones are used, and zod
 * loads these from their own file. So an empty module takes the place of the list, before zod asks for it.
 */
const languages = require.resolve('zod/v4/locales');
require.cache[languages] ??= Object.assign(new Module(languages), { loaded: true });
