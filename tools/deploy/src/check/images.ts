import type { Check } from './check';
import { interpolated, readCompose } from './compose';
import { readWorkloads } from './manifests';

/** Checks that each container in k8s/ has the image of the Compose service of that name, in whichever file that is. */
export const imagesAgree: Check = (files) => {
  const images = new Map(
    readCompose(files).flatMap(({ services }) =>
      Object.entries(services).flatMap(([name, { image }]) => (image === undefined ? [] : [[name, image] as const])),
    ),
  );
  return readWorkloads(files).flatMap(({ at, pod }) =>
    pod.containers.flatMap(({ name, image }) => {
      const wanted = interpolated(images.get(name) ?? '');
      return image === wanted ? [] : [`${at} image: is ${image}, in Compose ${wanted}`];
    }),
  );
};
