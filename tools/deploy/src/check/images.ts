import type { Check } from './check';
import { baseCompose, interpolated } from './compose';
import { readWorkloads } from './manifests';

/** Checks that each container in k8s/ has the image of the Compose service of that name. */
export const imagesAgree: Check = (files) => {
  const compose = baseCompose(files);
  return readWorkloads(files).flatMap(({ at, pod }) =>
    pod.containers.flatMap(({ name, image }) => {
      const wanted = interpolated(compose.services[name]?.image ?? '');
      return image === wanted ? [] : [`${at} image: is ${image}, in ${compose.file} ${wanted}`];
    }),
  );
};
