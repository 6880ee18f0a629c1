export { type FleetState, gatewayUrl, readState, type StateEntry } from './state';
