import { stringify } from 'yaml';
import type { KubernetesObject } from '../../shared/kubernetes-objects';
import { manifests } from '../../shared/manifests';
import { PRIVATE_LINK } from './edge';
import { DATA, ENTRY, ENTRY_SUBNET, PODS } from './network';
import type { StackOutputs } from './shop';
import { nameInVault } from './vault';

/** Everything that `kubectl apply` needs: the objects of k8s/ for this stack, and the entry from outside. */
export const manifestsFor = (
  stack: StackOutputs,
  version: string,
  settings: Record<string, string>,
): KubernetesObject[] =>
  manifests({
    registry: stack.registry,
    version,
    settings: { ...settings, ...settingsOf(stack) },
    secrets: stack.secrets,
    secretsDriver: 'secrets-store.csi.k8s.io',
    secretProvider: secretProvider(stack),
    serviceAccountAnnotations: { 'azure.workload.identity/client-id': stack.vault.clientId },
    uploads: { persistentVolumeClaim: { claimName: 'uploads' } },
    data: { network: DATA, mysqlPort: 3306, redisPort: stack.cache.port },
    // Front Door appends the client's address to X-Forwarded-For. Its requests arrive from the private link's subnet.
    loadBalancer: { networks: [ENTRY], trusted: [] },
    gateway: { type: 'LoadBalancer', annotations: privateLink(stack) },
    extra: [volume(stack), claim()],
  });

// The certificates of both are signed by authorities that Node.js trusts.
const settingsOf = ({ database, cache }: StackOutputs): Record<string, string> => ({
  DB_HOST: database.host,
  DB_PORT: '3306',
  DB_USER: database.user,
  DB_NAME: database.name,
  DB_TLS: 'on',
  REDIS_HOST: cache.host,
  REDIS_PORT: String(cache.port),
  REDIS_TLS: 'on',
  TRUST_PROXY: PODS,
});

const prefix = 'service.beta.kubernetes.io/azure';

const privateLink = ({ resourceGroup }: StackOutputs): Record<string, string> => ({
  [`${prefix}-load-balancer-internal`]: 'true',
  [`${prefix}-load-balancer-internal-subnet`]: ENTRY_SUBNET,
  [`${prefix}-pls-create`]: 'true',
  [`${prefix}-pls-name`]: PRIVATE_LINK,
  [`${prefix}-pls-resource-group`]: resourceGroup,
  [`${prefix}-pls-ip-configuration-subnet`]: ENTRY_SUBNET,
  // Everybody may ask for a connection; each has to be approved.
  [`${prefix}-pls-visibility`]: '*',
});

const labels = { 'app.kubernetes.io/part-of': 'shop' };

const secretProvider = ({ vault, secrets }: StackOutputs): KubernetesObject => ({
  apiVersion: 'secrets-store.csi.x-k8s.io/v1',
  kind: 'SecretProviderClass',
  metadata: { name: 'shop', namespace: 'shop', labels },
  spec: {
    provider: 'azure',
    parameters: {
      clientID: vault.clientId,
      tenantId: vault.tenant,
      keyvaultName: vault.name,
      // A list of texts, each of which is YAML again.
      objects: stringify({
        array: secrets.map((key) =>
          stringify({ objectName: nameInVault(key), objectType: 'secret', objectAlias: key }),
        ),
      }),
    },
  },
});

const volume = ({ uploads: { account, share } }: StackOutputs): KubernetesObject => ({
  apiVersion: 'v1',
  kind: 'PersistentVolume',
  metadata: { name: 'shop-uploads', labels },
  spec: {
    capacity: { storage: '100Gi' },
    accessModes: ['ReadWriteMany'],
    persistentVolumeReclaimPolicy: 'Retain',
    storageClassName: '',
    mountOptions: ['nconnect=4', 'noresvport', 'actimeo=30'],
    csi: {
      driver: 'file.csi.azure.com',
      volumeHandle: `${account}_${share}`,
      volumeAttributes: { protocol: 'nfs', storageAccount: account, shareName: share },
    },
  },
});

const claim = (): KubernetesObject => ({
  apiVersion: 'v1',
  kind: 'PersistentVolumeClaim',
  metadata: { name: 'uploads', namespace: 'shop', labels },
  spec: {
    accessModes: ['ReadWriteMany'],
    storageClassName: '',
    volumeName: 'shop-uploads',
    resources: { requests: { storage: '100Gi' } },
  },
});
