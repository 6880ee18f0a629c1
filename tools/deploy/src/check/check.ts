import type { ServiceTable } from '@shop/shop/services';
import type { DeployFiles } from './files';

/** @returns the problems in the files of a shop that has these services, each as `file: place: what is wrong` */
export type Check = (files: DeployFiles, table: ServiceTable) => string[] | Promise<string[]>;
