import { findStep } from './totp';

/** RFC 6238, appendix B: the secret is the text 12345678901234567890, the codes are their last 6 digits. */
const SECRET = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ';

afterEach(() => jest.restoreAllMocks());

test.each([
  [59, '287082'],
  [1_111_111_109, '081804'],
  [1_111_111_111, '050471'],
  [1_234_567_890, '005924'],
  [2_000_000_000, '279037'],
  [20_000_000_000, '353130'],
])('after %d seconds the code is %s', (seconds, code) => {
  const step = Math.floor(seconds / 30);
  const at = (time: number) => jest.spyOn(Date, 'now').mockReturnValue(time * 1000);
  for (const late of [-30, 0, 30]) {
    at(seconds + late);
    expect(findStep(SECRET, code)).toBe(step);
  }
  for (const late of [-60, 60]) {
    at(seconds + late);
    expect(findStep(SECRET, code)).toBeUndefined();
  }
});
