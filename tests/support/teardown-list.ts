type Task = () => Promise<unknown>;

/** jest runs global set-up and teardown in one process but loads each file separately, so they share via globalThis. */
const shared = globalThis as typeof globalThis & { shopTeardown?: Task[] };

export function atTeardown(task: Task): void {
  shared.shopTeardown = [task, ...(shared.shopTeardown ?? [])];
}

/** Runs what was registered, last first. */
export async function tearDownAll(): Promise<void> {
  for (const task of shared.shopTeardown ?? []) await task();
  shared.shopTeardown = [];
}
