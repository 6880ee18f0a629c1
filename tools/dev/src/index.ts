export { gatewayUrl, runningState, type State } from './state';
