import type { Operations } from './operations.ts';

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** The paths that have this method. */
export type PathOf<M extends Method> = keyof Operations extends infer Name
  ? Name extends `${M} ${infer Path}`
    ? Path
    : never
  : never;

type Operation<M extends Method, Path extends string> = `${M} ${Path}` extends keyof Operations
  ? Operations[`${M} ${Path}`]
  : never;

export type ResponseOf<M extends Method, Path extends string> = Operation<M, Path>['response'];

/** The error codes that this operation can answer with. */
export type CodeOf<M extends Method, Path extends string> = Operation<M, Path>['code'];

/** The paths of lists. */
export type ListPath = {
  [Path in PathOf<'GET'>]: ResponseOf<'GET', Path> extends { data: readonly unknown[]; pagination: object }
    ? Path
    : never;
}[PathOf<'GET'>];

export type ItemOf<Path extends ListPath> =
  ResponseOf<'GET', Path> extends { data: readonly (infer Item)[] } ? Item : never;

export interface CallOptions {
  /** Ends the call, also while it waits for a retry. */
  signal?: AbortSignal | undefined;
  headers?: Record<string, string>;
  /** For operations that create something. Default: a new key for each call, the same for its retries. */
  idempotencyKey?: string | undefined;
}

type Input<Op> = Omit<Op, 'response' | 'code'>;

/** The last arguments of a call: optional if the operation needs no input. */
export type OptionsOf<Op> =
  Record<never, never> extends Input<Op> ? [options?: Input<Op> & CallOptions] : [options: Input<Op> & CallOptions];
