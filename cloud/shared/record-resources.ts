import * as pulumi from '@pulumi/pulumi';

export interface RecordedResource {
  type: string;
  name: string;
  // biome-ignore lint/suspicious/noExplicitAny: the shape differs for each type, and the provider's schema is checked.
  inputs: any;
}

interface Mocked<Outputs> {
  resources: RecordedResource[];
  outputs: Outputs;
}

/**
 * Runs a Pulumi program without an engine and without a cloud.
 * @param computed what the cloud would add to a resource, for example its IP address
 * @param results of the provider's functions, by token
 */
export async function recordResources<Outputs extends object>(
  config: Record<string, string>,
  program: () => Outputs | Promise<Outputs>,
  computed: (resource: RecordedResource) => Record<string, unknown>,
  results: Record<string, Record<string, unknown>> = {},
): Promise<Mocked<pulumi.Unwrap<Outputs>>> {
  const resources: RecordedResource[] = [];
  pulumi.runtime.setAllConfig(config);
  await pulumi.runtime.setMocks(
    {
      newResource({ type, name, inputs }) {
        const resource: RecordedResource = { type, name, inputs: withoutSecretMarks(inputs) };
        resources.push(resource);
        return { id: `${name}-id`, state: { name, ...resource.inputs, ...computed(resource) } };
      },
      call({ token }) {
        const result = results[token];
        if (!result) throw new Error(`no result for ${token}`);
        return result;
      },
    },
    'shop',
    'test',
  );
  const outputs = await program();
  const resolved = await new Promise<pulumi.Unwrap<Outputs>>((resolve) => pulumi.output(outputs).apply(resolve));
  await pulumi.runtime.disconnect();
  return { resources, outputs: resolved };
}

/** Pulumi marks a secret as an object with this key and the `value`. */
const SECRET = '4dabf18193072939515e22adb298388d';

function withoutSecretMarks(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutSecretMarks);
  if (typeof value !== 'object' || value === null) return value;
  if (SECRET in value && 'value' in value) return withoutSecretMarks(value.value);
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, withoutSecretMarks(item)]));
}

/** The inputs of the only resource of that type, or of the one with that name. */
export function inputsOf(
  resources: readonly RecordedResource[],
  type: string,
  name?: string,
): RecordedResource['inputs'] {
  const found = resources.filter((resource) => resource.type.endsWith(`:${type}`) && (!name || resource.name === name));
  if (found.length !== 1) throw new Error(`${found.length} resources ${type} ${name ?? ''}`);
  return found[0]?.inputs;
}
