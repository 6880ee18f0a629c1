import { type KubernetesObject, kubernetesFiles } from './repository';

interface ManifestOptions {
  /** `shop-auth` becomes the image in ECR. */
  imageOf(name: string): string;
  /** Override those of k8s/configmap.yaml. */
  settings: Record<string, string>;
}

/**
 * Not applied: secret.yaml has published values (README.md says how to make the secret), ingress.yaml is for a controller that
 * this cluster does not have, and uploads are in a bucket.
 */
const LEFT_OUT = ['secret.yaml', 'ingress.yaml', 'uploads-pvc.yaml'];

/** The files of `k8s/` for EKS: with images from ECR, production's settings, and uploads in a bucket. */
export function manifestsForEks({
  imageOf,
  settings,
}: ManifestOptions): { file: string; objects: KubernetesObject[] }[] {
  const adapt = (object: KubernetesObject): KubernetesObject => {
    if (object.kind === 'ConfigMap' && object.metadata.name === 'shop-config') {
      return { ...object, data: { ...object.data, ...onlyKeysOf(object.data, settings) } };
    }
    for (const pod of podsOf(object)) {
      for (const container of [...(pod.initContainers ?? []), ...pod.containers]) {
        const [, name] = /^(shop-[a-z]+):latest$/.exec(container.image) ?? [];
        if (name) container.image = imageOf(name);
      }
      // A disk belongs to one node. Each pod buffers uploads on a disk of its own.
      for (const volume of pod.volumes ?? []) {
        if (volume.persistentVolumeClaim?.claimName === 'uploads') {
          delete volume.persistentVolumeClaim;
          volume.emptyDir = { sizeLimit: '2Gi' };
        }
      }
    }
    return object;
  };
  return kubernetesFiles()
    .filter(({ file }) => !LEFT_OUT.includes(file))
    .map(({ file, objects }) => ({ file, objects: objects.map(adapt) }));
}

/** Of a Deployment, a StatefulSet, a Job or a CronJob. */
const podsOf = ({ spec }: KubernetesObject): KubernetesObject[] =>
  [spec?.template?.spec, spec?.jobTemplate?.spec.template.spec].filter((pod) => pod?.containers);

const onlyKeysOf = (data: Record<string, string>, settings: Record<string, string>): Record<string, string> =>
  Object.fromEntries(Object.entries(settings).filter(([name]) => name in data));
