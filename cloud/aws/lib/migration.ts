import path from 'node:path';
import { CustomResource, Duration, Stack, Validations } from 'aws-cdk-lib';
import type { CfnCluster, ICluster } from 'aws-cdk-lib/aws-ecs';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Code, Function as LambdaFunction, Runtime } from 'aws-cdk-lib/aws-lambda';
import { LogGroup, type LogGroupProps } from 'aws-cdk-lib/aws-logs';
import { Provider } from 'aws-cdk-lib/custom-resources';
import { Construct } from 'constructs';
import { acknowledgeProvider } from './acknowledge';
import type { Network } from './network';
import type { ShopTask } from './shop-task';

interface MigrationProps {
  task: ShopTask;
  /** The name of the container in the task. */
  container: string;
  cluster: ICluster;
  network: Network;
  logs: LogGroupProps;
}

/** CloudFormation's own limit for a custom resource. */
const TIME_LIMIT = Duration.hours(1);

/**
 * Runs the migrations when the stack is created, and whenever their task definition changes. What depends on this resource waits
 * for it. If the migrations fail, the deployment fails before any service has changed.
 */
export class Migration extends Construct {
  readonly resource: CustomResource;

  constructor(scope: Construct, id: string, { task, container, cluster, network, logs }: MigrationProps) {
    super(scope, id);
    const handler = (name: string, logicalId: string) =>
      new LambdaFunction(this, logicalId, {
        runtime: Runtime.NODEJS_24_X,
        code: Code.fromAsset(path.join(__dirname, 'migration-handler')),
        handler: `index.${name}`,
        timeout: Duration.minutes(1),
        logGroup: new LogGroup(this, `${logicalId}Logs`, logs),
      });
    const start = handler('onEvent', 'Start');
    const wait = handler('isComplete', 'Wait');
    const { taskDefinitionArn, taskRole, executionRole } = task.definition;
    start.addToRolePolicy(new PolicyStatement({ actions: ['ecs:RunTask'], resources: [taskDefinitionArn] }));
    taskRole.grantPassRole(start.grantPrincipal);
    executionRole?.grantPassRole(start.grantPrincipal);
    const anyTask = Stack.of(this).formatArn({
      service: 'ecs',
      resource: 'task',
      resourceName: `${cluster.clusterName}/*`,
    });
    wait.addToRolePolicy(new PolicyStatement({ actions: ['ecs:DescribeTasks'], resources: [anyTask] }));
    const clusterId = Stack.of(this).getLogicalId(cluster.node.defaultChild as CfnCluster);
    Validations.of(wait).acknowledge({
      id: `AwsSolutions-IAM5[Resource::arn:aws:ecs:us-east-1:<AWS::AccountId>:task/<${clusterId}>/*]`,
      reason: 'The task that was started has no name before.',
    });

    const provider = new Provider(this, 'Provider', {
      onEventHandler: start,
      isCompleteHandler: wait,
      queryInterval: Duration.seconds(10),
      totalTimeout: TIME_LIMIT,
      logGroup: new LogGroup(this, 'ProviderLogs', logs),
    });
    acknowledgeProvider(provider, [start, wait]);
    this.resource = new CustomResource(this, 'Run', {
      serviceToken: provider.serviceToken,
      resourceType: 'Custom::ShopMigration',
      serviceTimeout: TIME_LIMIT,
      properties: {
        Cluster: cluster.clusterArn,
        TaskDefinition: taskDefinitionArn,
        Container: container,
        Subnets: network.vpc.privateSubnets.map(({ subnetId }) => subnetId),
        SecurityGroups: [network.services.securityGroupId],
      },
    });
  }
}
