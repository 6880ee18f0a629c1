export { gatewayUrl, readState, type State } from './state';
