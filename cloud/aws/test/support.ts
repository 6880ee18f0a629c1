import type { Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { newApp } from '../lib/app';
import type { EvermosEksStack } from '../lib/eks-stack';
import type { EvermosStack } from '../lib/evermos-stack';

/** What an operator must choose. */
export const CHOSEN = { SMTP_HOST: 'mail.shop.test', PASSWORD_RESET_URL: 'https://shop.test/reset' };

/** For domain names, Shield and the like. */
export const ZONE = { domainName: 'api.shop.test', hostedZoneId: 'Z123', hostedZoneName: 'shop.test' };

/** The template of a stack. Nothing is copied or built, and no account is needed. */
export function templateOf(
  StackClass: typeof EvermosStack | typeof EvermosEksStack,
  choices: Record<string, unknown> = CHOSEN,
): Template {
  const stack: Stack = new StackClass(newApp({ ...choices, 'aws:cdk:disable-asset-staging': true }), 'Stack');
  // The rules of CloudFormation take half a minute: they are for synth.test.ts.
  process.env.CDK_VALIDATION = 'false';
  try {
    return Template.fromStack(stack);
  } finally {
    delete process.env.CDK_VALIDATION;
  }
}

// biome-ignore lint/suspicious/noExplicitAny: CloudFormation as it is
export type Resource = Record<string, any>;

export function resourcesOf(template: Template, type: string): Resource[] {
  return Object.values(template.findResources(type)).map(({ Properties }) => Properties);
}

export function theOnly(template: Template, type: string): Resource {
  const [first, ...more] = resourcesOf(template, type);
  if (!first || more.length > 0) throw new Error(`${more.length + (first ? 1 : 0)} of ${type}`);
  return first;
}
