import { centsFromDecimal, centsFromNumber, centsToDecimal, centsToNumber, MAX_CENTS } from './money';

describe('JSON numbers', () => {
  it.each([
    [0, 0n],
    [-0, 0n],
    [0.01, 1n],
    [0.29, 29n],
    [1.1, 110n],
    [19.99, 1999n],
    [1.15, 115n],
    [8.2, 820n],
    [4.35, 435n],
    [1e2, 10_000n],
    [9_999_999_999.99, MAX_CENTS],
  ])('%d is %d cents', (value, cents) => {
    expect(centsFromNumber(value)).toBe(cents);
  });

  it.each([0.001, 0.1 + 0.2, 1.005, 1e-7, 9_999_999_999.991, Number.POSITIVE_INFINITY, Number.NaN, 1e300, 2 ** 53])(
    '%d is not an amount',
    (value) => {
      expect(centsFromNumber(value)).toBeUndefined();
    },
  );

  it('round-trip every amount exactly', () => {
    for (let cents = 0n; cents <= MAX_CENTS; cents += 765_432_101n) {
      const written = centsToDecimal(cents);
      expect(centsFromNumber(Number(written))).toBe(cents);
      expect(centsFromNumber(JSON.parse(JSON.stringify(centsToNumber(cents))))).toBe(cents);
      expect(centsFromDecimal(written)).toBe(cents);
    }
  });
});

describe('DECIMALs', () => {
  it.each([
    ['0.00', 0n],
    ['12.5', 1250n],
    ['12', 1200n],
    ['-0.01', -1n],
    ['9999999999.99', MAX_CENTS],
    ['90071992547409930.07', 9_007_199_254_740_993_007n],
  ])('%s is %d cents', (decimal, cents) => {
    expect(centsFromDecimal(decimal)).toBe(cents);
  });

  it.each(['', '.5', '1.', '1.234', '1e3', '1,5', ' 1', 'NaN', '1.00\n'])('%j is refused', (decimal) => {
    expect(() => centsFromDecimal(decimal)).toThrow();
  });

  it.each([
    [0n, '0.00'],
    [1n, '0.01'],
    [10n, '0.10'],
    [-5n, '-0.05'],
    [-12_345n, '-123.45'],
    [MAX_CENTS, '9999999999.99'],
  ])('%d cents are written %s', (cents, decimal) => {
    expect(centsToDecimal(cents)).toBe(decimal);
  });
});
