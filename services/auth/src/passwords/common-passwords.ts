import { dictionary } from '@zxcvbn-ts/language-common';
import { weakPassword } from './passwords.errors';

/** Of the most common passwords. The list is in order of frequency. */
const REFUSED = 10_000;

const common = new Set(dictionary['passwords-common'].slice(0, REFUSED));

/** @throws AppError `weak_password` */
export function assertUncommon(password: string): void {
  if (common.has(password)) throw weakPassword();
}
