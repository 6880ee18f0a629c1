import { serviceNames } from '@shop/test-servers';
import { baseOf, type ComposeFile, environmentOf, inEachLayer, names, readCompose } from './compose';
import type { Check, Found } from './problem';

const envFile = `.env.\${APP_ENV:-local}`;

/** Checks that services share exactly one network with Nginx, that they trust it, and that all use the same env file. */
export const servicesTrustNginx: Check = (files) => {
  const base = baseOf(readCompose(files));
  const strange = serviceNames
    .filter((name) => String(base.services[name]?.env_file) !== envFile)
    .map((name) => ({ file: base.file, at: `services.${name}.env_file`, message: `must be ${envFile}` }));
  return [...strange, ...inEachLayer(files, proxyProblems)];
};

function proxyProblems({ file, services, networks = {} }: ComposeFile): Found[] {
  const ofNginx = names(services.nginx?.networks);
  return serviceNames.flatMap((name): Found[] => {
    const { [name]: service = {} } = services;
    const problem = (message: string) => [{ file, at: `services.${name}`, message }];
    const [shared, another] = names(service.networks).filter((network) => ofNginx.includes(network));
    if (shared === undefined) return problem('shares no network with nginx');
    if (another !== undefined) return problem(`shares ${shared} and ${another} with nginx, but trusts only one`);
    const trusted = environmentOf(service).get('TRUST_PROXY');
    const subnet = networks[shared]?.ipam?.config?.[0]?.subnet;
    return trusted === subnet ? [] : problem(`TRUST_PROXY is ${trusted}, nginx connects from ${shared}: ${subnet}`);
  });
}
