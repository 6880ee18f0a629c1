import prand from 'pure-rand';

/** A seeded generator: the same seed gives the same values in the same order. */
export interface Random {
  /** A whole number; both bounds are included. */
  integer(min: number, max: number): number;
  chance(probability: number): boolean;
  pick<T>(values: readonly T[]): T;
  shuffled<T>(values: readonly T[]): T[];
}

/** @param path identifies this generator: `random(seed, client, turn)` does not depend on values drawn elsewhere */
export function random(seed: number, ...path: number[]): Random {
  const mixed = path.reduce((state, step) => Math.imul(state ^ (step + 0x9e37), 0x85ebca6b) ^ (state >>> 13), seed | 0);
  const generator = prand.xoroshiro128plus(mixed);
  const integer = (min: number, max: number) => prand.unsafeUniformIntDistribution(min, max, generator);
  return {
    integer,
    chance: (probability) => integer(0, 999_999) < probability * 1_000_000,
    pick<T>(values: readonly T[]): T {
      const value = values[integer(0, values.length - 1)];
      if (value === undefined) throw new Error('cannot pick from an empty list');
      return value;
    },
    shuffled<T>(values: readonly T[]): T[] {
      const left = [...values];
      const drawn: T[] = [];
      while (left.length > 0) drawn.push(...left.splice(integer(0, left.length - 1), 1));
      return drawn;
    },
  };
}
