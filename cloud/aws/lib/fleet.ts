import { type ServiceRow, serviceNames } from '../../../packages/shop/src/services';

/** Tasks of each service: as many as pods in k8s/hpa.yaml, at the same CPU. */
export const TASKS = { min: 2, max: 10, cpuPercent: 70 };

/** During an update of two tasks, one new task may start. Less would leave no room: ECS rounds down. */
export const MAX_HEALTHY_PERCENT = 150;

/** The most processes at a time: every service at its maximum, during an update. */
export const FLEET_PROCESSES = serviceNames.length * Math.floor((TASKS.max * MAX_HEALTHY_PERCENT) / 100);

export const DB_POOL_SIZE = 8;

/** All pools, and some more for migrations, operators and RDS itself. */
export const MAX_CONNECTIONS = FLEET_PROCESSES * DB_POOL_SIZE + 80;

/** Longer than the 10 s within which a service exits. */
export const STOP_TIMEOUT_SECONDS = 30;

/** Fargate offers these sizes, with at least twice as many MiB of memory. */
const CPU_SIZES = [256, 512, 1024, 2048];
/** A pod may use more CPU than it requests. A Fargate task cannot exceed its size. */
const CPU_BEYOND_REQUEST = 4;

export function fargateSize({ cpu, memoryLimit }: ServiceRow['resources']): { cpu: number; memoryLimitMiB: number } {
  const wanted = quantity(cpu, 'm') * CPU_BEYOND_REQUEST;
  const size = CPU_SIZES.find((units) => units >= wanted && units * 2 >= quantity(memoryLimit, 'Mi'));
  if (!size) throw new Error(`no Fargate size has ${cpu} of CPU and ${memoryLimit}`);
  return { cpu: size, memoryLimitMiB: size * 2 };
}

function quantity(text: string, unit: string): number {
  if (!text.endsWith(unit)) throw new Error(`${text} is not in ${unit}`);
  return Number(text.slice(0, -unit.length));
}
