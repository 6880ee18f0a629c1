/** What a client can rely on in an OpenAPI document, as far as `findBreaks` reads it. */
export interface ApiDocument {
  paths: Record<string, Record<string, ApiOperation>>;
  components?: Record<string, Record<string, unknown>>;
}

interface ApiOperation {
  security?: unknown[];
  parameters?: ApiParameter[];
  requestBody?: ApiBody & { required?: boolean; 'x-also-accepts'?: ApiBody['content'] };
  responses: Record<string, ApiBody & { headers?: Record<string, unknown> }>;
}

interface ApiParameter {
  name: string;
  in: string;
  required?: boolean;
  schema: ApiSchema;
}

interface ApiBody {
  content?: Record<string, { schema?: ApiSchema }>;
}

interface ApiSchema {
  $ref?: string;
  type?: string | string[];
  enum?: unknown[];
  const?: unknown;
  properties?: Record<string, ApiSchema>;
  required?: string[];
  additionalProperties?: unknown;
  items?: ApiSchema;
  anyOf?: ApiSchema[];
  format?: string;
  pattern?: string;
  [bound: string]: unknown;
}

const LOWER_BOUNDS = ['minimum', 'minLength', 'minItems', 'minProperties'];
const UPPER_BOUNDS = ['maximum', 'maxLength', 'maxItems'];

/**
 * Finds what a client of the released API can no longer do or rely on: removed operations, fields and values, new required
 * input, and narrower input or wider output. Added fields, values of responses and errors are no breaks: clients ignore what
 * they do not know.
 */
export function findBreaks(released: ApiDocument, current: ApiDocument): string[] {
  const [before, after] = [resolverOf(released), resolverOf(current)];
  return Object.entries(released.paths).flatMap(([path, methods]) =>
    Object.entries(methods).flatMap(([method, operation]) => {
      const at = `${method.toUpperCase()} ${path}`;
      const now = current.paths[path]?.[method];
      if (!now) return [`${at}: removed`];
      return [
        ...breaksOfAccess(operation, now),
        ...breaksOfParameters(operation, now, before, after),
        ...breaksOfBody(operation, now, before, after),
        ...breaksOfResponses(operation, now, before, after),
      ].map((found) => `${at}: ${found}`);
    }),
  );
}

type Resolve = <T>(value: T) => T;

/** Follows a reference into `components`. */
const resolverOf =
  ({ components = {} }: ApiDocument): Resolve =>
  <T>(value: T): T => {
    const { $ref } = value as { $ref?: string };
    const [, , kind = '', name = ''] = $ref?.split('/') ?? [];
    return $ref ? (components[kind]?.[name] as T) : value;
  };

const breaksOfAccess = (released: ApiOperation, current: ApiOperation): string[] =>
  released.security?.length === 0 && current.security?.length !== 0 ? ['needs an access token'] : [];

function breaksOfParameters(
  { parameters: released = [] }: ApiOperation,
  { parameters: current = [] }: ApiOperation,
  before: Resolve,
  after: Resolve,
): string[] {
  const key = (parameter: ApiParameter) => `${parameter.in} parameter ${parameter.name}`;
  const known = new Map(released.map(before).map((parameter) => [key(parameter), parameter]));
  const now = new Map(current.map(after).map((parameter) => [key(parameter), parameter]));
  return [
    ...[...known].flatMap(([name, parameter]) => {
      const other = now.get(name);
      return other ? inputBreaks(parameter.schema, other.schema, before, after, name) : [`${name}: removed`];
    }),
    ...[...now]
      .filter(([name, { required }]) => required && !known.get(name)?.required)
      .map(([name]) => `${name}: required`),
  ];
}

/** A body type that only moved to `x-also-accepts` is still accepted. */
const acceptedBy = ({ requestBody = {} }: ApiOperation): NonNullable<ApiBody['content']> => ({
  ...requestBody['x-also-accepts'],
  ...requestBody.content,
});

function breaksOfBody(released: ApiOperation, current: ApiOperation, before: Resolve, after: Resolve): string[] {
  const now = acceptedBy(current);
  return [
    ...(current.requestBody?.required && !released.requestBody?.required ? ['the body: required'] : []),
    ...Object.entries(acceptedBy(released)).flatMap(([type, { schema = {} }]) =>
      now[type]
        ? inputBreaks(schema, now[type].schema ?? {}, before, after, `body ${type}`)
        : [`body ${type}: removed`],
    ),
  ];
}

function breaksOfResponses(released: ApiOperation, current: ApiOperation, before: Resolve, after: Resolve): string[] {
  const successes = Object.entries(released.responses).filter(([status]) => status.startsWith('2'));
  return successes.flatMap(([status, reference]) => {
    const response = before(reference);
    const now = current.responses[status] && after(current.responses[status]);
    if (!now) return [`response ${status}: removed`];
    const { content = {}, headers = {} } = now;
    return [
      ...Object.keys(response.headers ?? {})
        .filter((name) => !(name in headers))
        .map((name) => `response ${status}, header ${name}: removed`),
      ...Object.entries(response.content ?? {}).flatMap(([type, { schema = {} }]) => {
        const at = `response ${status} ${type}`;
        return content[type] ? outputBreaks(schema, content[type].schema ?? {}, before, after, at) : [`${at}: removed`];
      }),
    ];
  });
}

const typesOf = ({ type, enum: values }: ApiSchema): string[] =>
  type === undefined ? [...new Set((values ?? []).map((value) => typeof value))] : [type].flat();

/** Whether every value of type `one` is one of `types`. */
const isAmong = (one: string, types: string[]): boolean =>
  types.length === 0 || types.includes(one) || (one === 'integer' && types.includes('number'));

const valuesOf = ({ enum: values, const: only }: ApiSchema): unknown[] | undefined =>
  values ?? (only === undefined ? undefined : [only]);

/** Why input that was valid may be refused now. */
function inputBreaks(old: ApiSchema, now: ApiSchema, before: Resolve, after: Resolve, at: string): string[] {
  const [released, current] = [before(old), after(now)];
  if (released.anyOf || current.anyOf) {
    const branches = current.anyOf ?? [current];
    return (released.anyOf ?? [released]).flatMap((branch) =>
      fewest(branches.map((other) => inputBreaks(branch, other, before, after, at))),
    );
  }
  const [values, allowed] = [valuesOf(released), valuesOf(current)];
  const { properties: fields = {}, required: requiredBefore = [] } = released;
  const { properties: fieldsNow = {}, required = [] } = current;
  const found = [
    ...typesOf(released)
      .filter((type) => !isAmong(type, typesOf(current)))
      .map((type) => `no ${type}`),
    ...(allowed && !values ? ['only some values'] : []),
    ...(allowed && values
      ? values.filter((value) => !allowed.includes(value)).map((value) => `no ${JSON.stringify(value)}`)
      : []),
    ...LOWER_BOUNDS.filter((bound) => Number(current[bound] ?? -Infinity) > Number(released[bound] ?? 0)),
    ...UPPER_BOUNDS.filter((bound) => Number(current[bound] ?? Infinity) < Number(released[bound] ?? Infinity)),
    ...(['pattern', 'format'] as const).filter((rule) => current[rule] && current[rule] !== released[rule]),
    ...required.filter((name) => !requiredBefore.includes(name)).map((name) => `${name} required`),
    ...Object.keys(fields)
      .filter((name) => !(name in fieldsNow) && current.additionalProperties === false)
      .map((name) => `${name} removed`),
  ].map((what) => `${at}: ${what}`);
  return [...found, ...insideOf(released, current, (a, b, where) => inputBreaks(a, b, before, after, where), at)];
}

/** What a client that reads the old output cannot read in the new one. */
function outputBreaks(old: ApiSchema, now: ApiSchema, before: Resolve, after: Resolve, at: string): string[] {
  const [released, current] = [before(old), after(now)];
  if (released.anyOf || current.anyOf) {
    const branches = released.anyOf ?? [released];
    return (current.anyOf ?? [current]).flatMap((branch) =>
      fewest(branches.map((other) => outputBreaks(other, branch, before, after, at))),
    );
  }
  const { properties: fields = {}, required: requiredBefore = [] } = released;
  const { properties: fieldsNow = {}, required = [] } = current;
  const found = [
    ...typesOf(current)
      .filter((type) => !isAmong(type, typesOf(released)))
      .map((type) => `may be ${type}`),
    ...(released.format && current.format !== released.format ? ['format'] : []),
    ...Object.keys(fields)
      .filter((name) => !(name in fieldsNow))
      .map((name) => `${name} removed`),
    ...requiredBefore
      .filter((name) => name in fieldsNow && !required.includes(name))
      .map((name) => `${name} may be absent`),
  ].map((what) => `${at}: ${what}`);
  return [...found, ...insideOf(released, current, (a, b, where) => outputBreaks(a, b, before, after, where), at)];
}

type Compare = (old: ApiSchema, now: ApiSchema, at: string) => string[];

function insideOf(released: ApiSchema, current: ApiSchema, compare: Compare, at: string): string[] {
  return [
    ...Object.entries(released.properties ?? {}).flatMap(([name, field]) => {
      const other = current.properties?.[name];
      return other ? compare(field, other, `${at}.${name}`) : [];
    }),
    ...(released.items && current.items ? compare(released.items, current.items, `${at}[]`) : []),
  ];
}

const fewest = (candidates: string[][]): string[] =>
  candidates.reduce((best, found) => (found.length < best.length ? found : best));

/** Whether a release of version `next` may break what clients of `released` rely on (Semantic Versioning, item 4). */
export function mayBreak(released: string, next: string): boolean {
  const [[oldMajor = 0, oldMinor = 0], [major = 0, minor = 0]] = [released, next].map((version) =>
    version.split('.').map(Number),
  ) as [number[], number[]];
  return major > oldMajor || (major === oldMajor && major === 0 && minor > oldMinor);
}
