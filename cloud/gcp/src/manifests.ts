import type { KubernetesObject } from '../../shared/kubernetes-objects';
import { manifests, secretFile } from '../../shared/manifests';
import { DATA, PODS } from './network';
import type { StackOutputs } from './shop';

/** The load balancer and its health checks (https://cloud.google.com/load-balancing/docs/firewall-rules). */
const LOAD_BALANCER = ['35.191.0.0/16', '130.211.0.0/22'];

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
    secretsDriver: 'secrets-store-gke.csi.k8s.io',
    secretProvider: secretProvider(stack),
    serviceAccountAnnotations: { 'iam.gke.io/gcp-service-account': stack.podsAccount },
    // Files are received here before they are sent to the bucket.
    uploads: { emptyDir: { sizeLimit: '1Gi' } },
    data: { network: DATA, mysqlPort: 3306, redisPort: stack.cache.port },
    // The load balancer appends its own address to X-Forwarded-For, after the client's.
    loadBalancer: { networks: LOAD_BALANCER, trusted: [stack.address] },
    gateway: {
      type: 'ClusterIP',
      annotations: {
        'cloud.google.com/neg': '{"ingress":true}',
        'cloud.google.com/backend-config': '{"default":"shop"}',
      },
    },
    extra: [backendConfig(stack), frontendConfig(stack), certificate(stack), ingress(stack)],
  });

const settingsOf = ({ database, cache, bucket }: StackOutputs): Record<string, string> => ({
  DB_HOST: database.host,
  DB_PORT: '3306',
  DB_USER: database.user,
  DB_NAME: database.name,
  DB_TLS: secretFile('DB_CA'),
  REDIS_HOST: cache.host,
  REDIS_PORT: String(cache.port),
  REDIS_TLS: secretFile('REDIS_CA'),
  S3_BUCKET: bucket,
  S3_ENDPOINT: 'https://storage.googleapis.com',
  S3_REGION: 'auto',
  TRUST_PROXY: PODS,
});

const inShop = (name: string) => ({ name, namespace: 'shop', labels: { 'app.kubernetes.io/part-of': 'shop' } });

const secretProvider = ({ project, secrets }: StackOutputs): KubernetesObject => ({
  apiVersion: 'secrets-store.csi.x-k8s.io/v1',
  kind: 'SecretProviderClass',
  metadata: inShop('shop'),
  spec: {
    provider: 'gke',
    // The driver expects YAML, of which JSON is a part.
    parameters: {
      secrets: JSON.stringify(
        secrets.map((key) => ({ resourceName: `projects/${project}/secrets/shop-${key}/versions/latest`, path: key })),
      ),
    },
  },
});

const backendConfig = ({ securityPolicy }: StackOutputs): KubernetesObject => ({
  apiVersion: 'cloud.google.com/v1',
  kind: 'BackendConfig',
  metadata: inShop('shop'),
  spec: {
    securityPolicy: { name: securityPolicy },
    // A service allows 60 s for a whole request.
    timeoutSec: 65,
    connectionDraining: { drainingTimeoutSec: 60 },
    // The same as the readiness probe of the gateway's pods.
    healthCheck: {
      type: 'HTTP',
      requestPath: '/openapi.json',
      port: 8000,
      checkIntervalSec: 5,
      timeoutSec: 3,
      healthyThreshold: 1,
      unhealthyThreshold: 2,
    },
    // Caches only what the services declare public: uploads.
    cdn: {
      enabled: true,
      cacheMode: 'USE_ORIGIN_HEADERS',
      cachePolicy: { includeHost: true, includeProtocol: true, includeQueryString: true },
    },
    // The gateway sends it only if the connection to itself is encrypted.
    customResponseHeaders: { headers: ['Strict-Transport-Security: max-age=63072000; includeSubDomains'] },
    logging: { enable: true, sampleRate: 1 },
  },
});

const frontendConfig = ({ sslPolicy }: StackOutputs): KubernetesObject => ({
  apiVersion: 'networking.gke.io/v1beta1',
  kind: 'FrontendConfig',
  metadata: inShop('shop'),
  spec: { sslPolicy, redirectToHttps: { enabled: true, responseCodeName: 'PERMANENT_REDIRECT' } },
});

const certificate = ({ domain }: StackOutputs): KubernetesObject => ({
  apiVersion: 'networking.gke.io/v1',
  kind: 'ManagedCertificate',
  metadata: inShop('shop'),
  spec: { domains: [domain] },
});

/** Everything to the gateway, which routes by the table of services. */
const ingress = ({ domain, addressName }: StackOutputs): KubernetesObject => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'Ingress',
  metadata: {
    ...inShop('shop'),
    annotations: {
      // GKE reads this annotation, not `ingressClassName`.
      'kubernetes.io/ingress.class': 'gce',
      'kubernetes.io/ingress.global-static-ip-name': addressName,
      'networking.gke.io/managed-certificates': 'shop',
      'networking.gke.io/v1beta1.FrontendConfig': 'shop',
    },
  },
  spec: {
    rules: [
      {
        host: domain,
        http: {
          paths: [{ path: '/', pathType: 'Prefix', backend: { service: { name: 'nginx', port: { name: 'http' } } } }],
        },
      },
    ],
  },
});
