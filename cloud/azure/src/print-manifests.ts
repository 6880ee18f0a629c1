import { printManifests } from '../../shared/print-manifests';
import { manifestsFor } from './manifests';

printManifests(manifestsFor);
