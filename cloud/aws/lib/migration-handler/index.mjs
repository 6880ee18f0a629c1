// Runs one ECS task and waits until it has stopped. CloudFormation calls it through the provider framework of CDK:
// `onEvent` once, then `isComplete` until it says so.

/** The SDK is part of Lambda's runtime. */
async function ecsClient() {
  const { ECS } = await import('@aws-sdk/client-ecs');
  return new ECS();
}

export const onEvent = async (event) => startTask(event, await ecsClient());
export const isComplete = async (event) => hasSucceeded(event, await ecsClient());

const PhysicalResourceId = 'migration';

export async function startTask({ RequestType, RequestId, ResourceProperties }, ecs) {
  if (RequestType === 'Delete') return { PhysicalResourceId };
  const { Cluster, TaskDefinition, Subnets, SecurityGroups } = ResourceProperties;
  const { tasks = [], failures = [] } = await ecs.runTask({
    cluster: Cluster,
    taskDefinition: TaskDefinition,
    launchType: 'FARGATE',
    // If this function is called twice for one event, there is still one task.
    clientToken: RequestId,
    networkConfiguration: {
      awsvpcConfiguration: { subnets: Subnets, securityGroups: SecurityGroups, assignPublicIp: 'DISABLED' },
    },
  });
  const [task] = tasks;
  if (!task) throw new Error(`ECS did not start the migrations: ${JSON.stringify(failures)}`);
  return { PhysicalResourceId, Data: { TaskArn: task.taskArn } };
}

export async function hasSucceeded({ RequestType, ResourceProperties, Data }, ecs) {
  if (RequestType === 'Delete') return { IsComplete: true };
  const { Cluster, Container } = ResourceProperties;
  const { tasks = [] } = await ecs.describeTasks({ cluster: Cluster, tasks: [Data.TaskArn] });
  const [task] = tasks;
  if (task?.lastStatus !== 'STOPPED') return { IsComplete: false };
  const { exitCode, reason } = task.containers?.find(({ name }) => name === Container) ?? {};
  if (exitCode === 0) return { IsComplete: true };
  // CloudFormation rolls back, so the services of the release before keep running.
  const why = reason ?? task.stoppedReason ?? 'no reason';
  throw new Error(`the migrations failed (exit code ${exitCode ?? 'none'}, ${why}): see the log stream ${Container}`);
}
