import { renderDeployment } from '../render';
import type { Check } from './check';

/** Checks that the generated files are what the templates and the table of services make of them. */
export const generatedFilesAreRendered: Check = (files, table) =>
  [...renderDeployment(table)]
    .filter(([file, text]) => !files.paths.includes(file) || files.read(file) !== text)
    .map(([file]) => `${file}: differs from its rendering: run npm run deploy:render`);
