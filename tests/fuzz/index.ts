export { isExactly, problemsOfFieldErrors } from './check-field-errors';
export { fuzz } from './fuzz';
export { type OpenApi, operationsOf } from './operations';
export { reportFuzz } from './report';
export { encodeRequest, sendRequest } from './request';
export { knownGrammar } from './valid-values';
export { wrongRequests } from './wrong-requests';
