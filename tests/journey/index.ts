export { httpFile } from './http-file';
export { runJourney } from './journey';
export { postmanCollection } from './postman-collection';
