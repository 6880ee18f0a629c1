import { type CfnElement, Stack, Validations } from 'aws-cdk-lib';
import type { FargateTaskDefinition } from 'aws-cdk-lib/aws-ecs';
import type { Provider } from 'aws-cdk-lib/custom-resources';
import type { IConstruct } from 'constructs';

// Findings of cdk-nag that several places have in common, and what CDK itself makes. Others are acknowledged where they arise.

export const STANDARD_PORT =
  'Isolated subnets and security groups decide who can connect. Another port would hide nothing from a port scan.';

export const managedPolicy = (name: string): string =>
  `AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/${name}]`;

const logicalId = (construct: IConstruct): string =>
  Stack.of(construct).getLogicalId(construct.node.defaultChild as CfnElement);

/** Any resource below `owner`: `BucketAB12.Arn>/*`. */
export const anythingOf = (owner: IConstruct, suffix: string): string =>
  `AwsSolutions-IAM5[Resource::<${logicalId(owner)}.Arn>${suffix}]`;

export function acknowledgeTask(definition: FargateTaskDefinition): void {
  Validations.of(definition).acknowledge(
    {
      id: 'AwsSolutions-ECS2',
      reason: 'Secrets come from Secrets Manager. The environment has only settings that may be public.',
    },
    {
      id: 'AwsSolutions-IAM5[Resource::*]',
      reason:
        'ecr:GetAuthorizationToken has no resource-level permissions. Everything else in this policy names its resource.',
    },
  );
}

/** Functions that CDK adds to a stack, and the policy with which a function writes its own log. */
export function acknowledgeFunctions(stack: Stack): void {
  Validations.of(stack).acknowledge({
    id: managedPolicy('service-role/AWSLambdaBasicExecutionRole'),
    reason: 'Permits a function to write its log, and nothing else.',
  });
  for (const child of stack.node.children.filter(({ node }) => node.id.startsWith('LogRetention'))) {
    Validations.of(child).acknowledge({
      id: 'AwsSolutions-IAM5[Resource::*]',
      reason: "CDK's function that sets the retention of RDS's log groups, which RDS makes itself.",
    });
  }
}

/** The framework of a custom resource that waits. */
export function acknowledgeProvider(provider: Provider, handlers: IConstruct[]): void {
  const child = (id: string) => provider.node.findChild(id);
  const called = [...handlers, child('framework-isComplete'), child('framework-onTimeout')];
  Validations.of(provider).acknowledge(
    ...called.map((target) => ({
      id: anythingOf(target, ':*'),
      reason: "CDK's framework calls exactly these functions, in any version.",
    })),
    { id: 'AwsSolutions-SF1', reason: "CDK's loop around isComplete logs its errors. The functions log every call." },
    { id: 'AwsSolutions-SF2', reason: "CDK's loop around isComplete. It runs once per deployment." },
  );
}
