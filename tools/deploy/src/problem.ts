import type { DeployFiles } from './files';

export interface Problem {
  check: string;
  file: string;
  /** The place in the file: an object, a field, a line. Empty: the whole file. */
  at: string;
  message: string;
}

export type Found = Omit<Problem, 'check'>;

/** @returns the problems in the files */
export type Check = (files: DeployFiles) => Found[] | Promise<Found[]>;

export const shownProblem = ({ check, file, at, message }: Problem): string =>
  `${file}: ${at ? `${at}: ` : ''}${message} [${check}]`;
