import { App, Validations } from 'aws-cdk-lib';
import featureFlags from 'aws-cdk-lib/recommended-feature-flags.json';
import { AwsSolutionsChecks } from 'cdk-nag';
import { EvermosEksStack } from './eks-stack';
import { EvermosStack } from './evermos-stack';

/** CDK's recommended behaviour is part of the code, so that tests see the same as `cdk deploy`. */
export const newApp = (context: Record<string, unknown> = {}, outdir?: string): App =>
  new App({ context: { ...featureFlags, ...context }, outdir });

/** Both stacks. `cdk synth` fails if cdk-nag has a finding that is not acknowledged with a reason. */
export function createApp(context?: Record<string, unknown>, outdir?: string): App {
  const app = newApp(context, outdir);
  new EvermosStack(app, 'EvermosStack');
  new EvermosEksStack(app, 'EvermosEksStack');
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
  return app;
}
