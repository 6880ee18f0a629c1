export { runJourney } from './journey';
