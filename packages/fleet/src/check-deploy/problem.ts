import type { DeployFiles } from './files';

export interface Problem {
  check: string;
  file: string;
  /** Where in the file: an object, a field, a line. Empty: the file itself. */
  at: string;
  message: string;
}

export type Found = Omit<Problem, 'check'>;

/** Looks at the files and tells what is wrong with them; an empty list says that all is well. */
export type Check = (files: DeployFiles) => Found[] | Promise<Found[]>;

export const shownProblem = ({ check, file, at, message }: Problem): string =>
  `${file}: ${at ? `${at}: ` : ''}${message} [${check}]`;
