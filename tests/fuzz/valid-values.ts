import type { Random } from '@shop/test-servers';
import type { Schema } from './operations';

/** Values for fields whose grammar or reference is not in the schema. */
export type KnownValues = (name: string, random: Random) => unknown;

const LETTERS = [
  ...'abcdefghijklmnopqrstuvwxyz ABCXYZ0123456789-_.,;:\'"<>&%/\\äßéıİŁжΣ日本語가ไทยعربي😀👍🏽\u0301\u200b',
];

/** Fields with a grammar that is not in the schema. */
export const knownGrammar: KnownValues = (name, random) => {
  switch (name) {
    case 'phone':
      return `+49${random.integer(1e8, 2e9)}`;
    case 'email':
      return `fuzz-${random.integer(1, 2e9)}@example.com`;
    case 'password':
      return 'a good password';
    case 'ids':
      return `${random.integer(1, 30)},${random.integer(1, 30)}`;
    case 'idempotency-key':
      return `key-${random.integer(1, 500)}`;
    case 'range':
      return 'bytes=0-9';
    case 'if-match':
    case 'if-none-match':
      return '"another"';
    case 'if-range':
    case 'if-modified-since':
    case 'if-unmodified-since':
      return 'Sat, 31 Jan 2026 09:00:00 GMT';
    default:
      return undefined;
  }
};

/** A value that matches `schema`, usually short and small. */
export function validValue(schema: Schema, name: string, random: Random, known: KnownValues): unknown {
  const { anyOf, enum: values, const: only, type } = schema;
  if (anyOf) return validValue(random.pick(anyOf), name, random, known);
  if (type === 'null') return null;
  if (values) return random.pick(values);
  if (only !== undefined) return only;
  const value = known(name, random);
  if (value !== undefined) return value;
  switch (type) {
    case 'integer':
      return integer(schema, random);
    case 'number':
      return random.chance(0.05) ? (schema.maximum ?? 1e6) : random.integer(schema.minimum ?? 0, 99_999) / 100;
    case 'boolean':
      return random.chance(0.5);
    case 'array': {
      const { minItems = 0, maxItems = 10, items = {} } = schema;
      const length = random.integer(minItems, random.chance(0.05) ? maxItems : Math.min(maxItems, minItems + 2));
      return Array.from({ length }, () => validValue(items, name, random, known));
    }
    case 'object':
      return validObject(schema, random, known);
    default:
      return text(schema, random);
  }
}

function integer({ minimum = 0, maximum = Number.MAX_SAFE_INTEGER, not }: Schema, random: Random): number {
  if (random.chance(0.02)) return maximum;
  const value = random.chance(0.1) ? minimum : random.integer(minimum, Math.min(maximum, minimum + 30));
  return value === not?.const ? value + 1 : value;
}

function validObject(schema: Schema, random: Random, known: KnownValues): Record<string, unknown> {
  const { properties = {}, required = [], minProperties = 0 } = schema;
  const names = Object.keys(properties);
  const chosen = new Set(names.filter((name) => required.includes(name) || random.chance(0.6)));
  while (chosen.size < minProperties) chosen.add(random.pick(names));
  return Object.fromEntries([...chosen].map((name) => [name, validValue(properties[name] ?? {}, name, random, known)]));
}

function text({ minLength = 0, maxLength = 40 }: Schema, random: Random): string {
  const length = random.chance(0.03) ? maxLength : random.integer(minLength, Math.min(maxLength, minLength + 15));
  const characters = Array.from({ length }, () => random.pick(LETTERS));
  // Spaces at the ends would be trimmed, and one character must be visible.
  if (length > 0) characters[0] = 'x';
  if (length > 1) characters[length - 1] = 'y';
  return characters.join('');
}
