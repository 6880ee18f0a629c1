import prand from 'pure-rand';

/** Seeded randomness: the same seed draws the same values in the same order. */
export interface Random {
  /** A whole number, both bounds included. */
  integer(min: number, max: number): number;
  chance(probability: number): boolean;
  pick<T>(values: readonly T[]): T;
  shuffled<T>(values: readonly T[]): T[];
}

/** @param path what this generator is for, below the seed: `random(seed, client, turn)` depends on nothing that others drew */
export function random(seed: number, ...path: number[]): Random {
  const mixed = path.reduce((state, step) => Math.imul(state ^ (step + 0x9e37), 0x85ebca6b) ^ (state >>> 13), seed | 0);
  const generator = prand.xoroshiro128plus(mixed);
  const integer = (min: number, max: number) => prand.unsafeUniformIntDistribution(min, max, generator);
  return {
    integer,
    chance: (probability) => integer(0, 999_999) < probability * 1_000_000,
    pick<T>(values: readonly T[]): T {
      const value = values[integer(0, values.length - 1)];
      if (value === undefined) throw new Error('nothing to pick from');
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
