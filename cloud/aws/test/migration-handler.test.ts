import assert from 'node:assert/strict';
import { test } from 'node:test';

/** Only what the handler calls. ECS itself is outside this project. */
interface FakeEcs {
  runTask?(input: unknown): Promise<unknown>;
  describeTasks?(input: unknown): Promise<unknown>;
}
interface Handler {
  startTask(event: unknown, ecs: FakeEcs): Promise<unknown>;
  hasSucceeded(event: unknown, ecs: FakeEcs): Promise<unknown>;
}

const file = '../lib/migration-handler/index.mjs';
const handler = (): Promise<Handler> => import(file);

const ResourceProperties = {
  Cluster: 'cluster',
  TaskDefinition: 'migrate:7',
  Container: 'migrate',
  Subnets: ['subnet-1'],
  SecurityGroups: ['sg-1'],
};
const event = { RequestType: 'Update', RequestId: 'request-1', ResourceProperties };
const started = { ...event, Data: { TaskArn: 'task-1' } };
const stopped = (containers: unknown[], more = {}) => ({
  describeTasks: async () => ({ tasks: [{ lastStatus: 'STOPPED', containers, ...more }] }),
});

test('starts one task per event, in private subnets', async () => {
  const { startTask } = await handler();
  const inputs: unknown[] = [];
  const runTask = async (input: unknown) => {
    inputs.push(input);
    return { tasks: [{ taskArn: 'task-1' }] };
  };
  assert.deepEqual(await startTask(event, { runTask }), {
    PhysicalResourceId: 'migration',
    Data: { TaskArn: 'task-1' },
  });
  const [input] = inputs as { clientToken: string; networkConfiguration: { awsvpcConfiguration: unknown } }[];
  assert.equal(input?.clientToken, 'request-1');
  assert.deepEqual(input?.networkConfiguration.awsvpcConfiguration, {
    subnets: ['subnet-1'],
    securityGroups: ['sg-1'],
    assignPublicIp: 'DISABLED',
  });
});

test('fails if ECS starts no task', async () => {
  const { startTask } = await handler();
  const runTask = async () => ({ failures: [{ reason: 'RESOURCE:CPU' }] });
  await assert.rejects(startTask(event, { runTask }), /did not start the migrations.*RESOURCE:CPU/);
});

test('waits while the task runs', async () => {
  const { hasSucceeded } = await handler();
  const describeTasks = async () => ({ tasks: [{ lastStatus: 'RUNNING' }] });
  assert.deepEqual(await hasSucceeded(started, { describeTasks }), { IsComplete: false });
});

test('succeeds only with the exit code of the migrations', async () => {
  const { hasSucceeded } = await handler();
  const prepared = { name: 'prepare-volumes', exitCode: 0 };
  const done = stopped([prepared, { name: 'migrate', exitCode: 0 }]);
  assert.deepEqual(await hasSucceeded(started, done), { IsComplete: true });
  const failed = stopped([prepared, { name: 'migrate', exitCode: 1 }]);
  await assert.rejects(hasSucceeded(started, failed), /exit code 1.*see the log stream migrate/);
  const neverStarted = stopped([], { stoppedReason: 'CannotPullContainerError' });
  await assert.rejects(hasSucceeded(started, neverStarted), /exit code none, CannotPullContainerError/);
});

test('deleting the stack runs nothing', async () => {
  const { startTask, hasSucceeded } = await handler();
  const deleted = { ...event, RequestType: 'Delete' };
  assert.deepEqual(await startTask(deleted, {}), { PhysicalResourceId: 'migration' });
  assert.deepEqual(await hasSucceeded(deleted, {}), { IsComplete: true });
});
