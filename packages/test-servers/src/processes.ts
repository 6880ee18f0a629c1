import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { findBinary } from './binaries';
import { codeOf, messageOf, OperatorError } from './errors';

export interface ProcessOptions {
  name: string;
  command: string;
  args: string[];
  /** Standard output and error are appended here. */
  logFile: string;
  cwd?: string;
  env?: NodeJS.ProcessEnv;
  /** Tells the kernel (Linux) to kill it when this process dies, so that even kill -9 leaves nothing behind. */
  dieWithParent?: boolean | undefined;
  /** What it gets then, and when this process exits without stopping it. Default: KILL, so that its port is free at once. */
  deathSignal?: 'KILL' | 'TERM';
}

export interface Exit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

export interface ManagedProcess {
  readonly pid: number;
  /** Set after it has exited. */
  readonly exit: Exit | undefined;
  readonly exited: Promise<Exit>;
  /** Signals the process alone, or its whole process group. Does nothing after it has exited. */
  signal(signal: NodeJS.Signals): void;
  signalGroup(signal: NodeJS.Signals): void;
  /** The last `lines` lines of its output since it was started. */
  lastLogLines(lines?: number): string;
  readonly deathSignal: ProcessOptions['deathSignal'];
}

const running = new Set<ManagedProcess>();

/**
 * Starts a process in its own session and process group, so that the terminal's Ctrl+C reaches only us and we
 * decide in which order processes stop. If we exit without stopping it, it is killed.
 */
export async function spawnProcess(options: ProcessOptions): Promise<ManagedProcess> {
  mkdirSync(path.dirname(options.logFile), { recursive: true });
  const log = openSync(options.logFile, 'a');
  const logStart = statSync(options.logFile).size;
  const [command, args] = options.dieWithParent ? dyingWithParent(options) : [options.command, options.args];
  try {
    const child = spawn(command, args, {
      detached: true,
      stdio: ['ignore', log, log],
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      ...(options.env === undefined ? {} : { env: options.env }),
    });
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve);
      child.once('error', (error) =>
        reject(new OperatorError(`${options.name} cannot be started: ${messageOf(error)}`)),
      );
    });
    return manage(child, options, logStart);
  } finally {
    closeSync(log);
  }
}

function dyingWithParent({ command, args, deathSignal = 'KILL' }: ProcessOptions): [string, string[]] {
  const setpriv = findBinary('setpriv');
  return setpriv ? [setpriv, ['--pdeathsig', deathSignal, command, ...args]] : [command, args];
}

function manage(child: ChildProcess, { logFile, deathSignal }: ProcessOptions, logStart: number): ManagedProcess {
  const { pid } = child;
  if (pid === undefined) throw new OperatorError('a process without a pid');
  let exit: Exit | undefined;
  const exited = new Promise<Exit>((resolve) => {
    child.once('exit', (code, signal) => {
      exit = { code, signal };
      running.delete(self);
      if (running.size === 0) process.off('exit', killAll);
      sendSignal(-pid, 'SIGKILL'); // child processes that it left behind
      resolve(exit);
    });
  });
  const self: ManagedProcess = {
    pid,
    exited,
    deathSignal,
    get exit() {
      return exit;
    },
    signal: (signal) => {
      if (!exit) sendSignal(pid, signal);
    },
    signalGroup: (signal) => {
      if (!exit) sendSignal(-pid, signal);
    },
    lastLogLines: (lines = 15) => tail(logFile, lines, logStart),
  };
  if (running.size === 0) process.once('exit', killAll);
  running.add(self);
  return self;
}

function killAll(): void {
  for (const one of running) {
    if (one.deathSignal === 'TERM') one.signal('SIGTERM');
    else one.signalGroup('SIGKILL');
  }
}

/** `kill` that ignores a process or (negative pid) a group that no longer exists. */
export function sendSignal(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (codeOf(error) !== 'ESRCH') throw error;
  }
}

/** The last lines of a log file, starting at byte `from`. */
export function tail(file: string, lines = 15, from = 0): string {
  try {
    return readFileSync(file).subarray(from).toString('utf8').trimEnd().split('\n').slice(-lines).join('\n');
  } catch {
    return '';
  }
}

/** `exit code 1` or `signal SIGKILL`. */
export const describeExit = (exit: Exit): string =>
  exit.signal ? `signal ${exit.signal}` : `exit code ${exit.code ?? 'unknown'}`;
