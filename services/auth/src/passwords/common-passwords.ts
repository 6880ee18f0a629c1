import { weakPassword } from './passwords.errors';

/** Of the most common passwords. The list is in order of frequency. */
const REFUSED = 10_000;

let common: ReadonlySet<string> | undefined;

/** Loads the list on first use. @throws AppError `weak_password` */
export async function assertUncommon(password: string): Promise<void> {
  common ??= await loadCommon();
  if (common.has(password)) throw weakPassword();
}

async function loadCommon(): Promise<ReadonlySet<string>> {
  const { dictionary } = await import('@zxcvbn-ts/language-common');
  return new Set(dictionary['passwords-common'].slice(0, REFUSED));
}
