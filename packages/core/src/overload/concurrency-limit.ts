/** Fewer requests in progress are no overload, however slow the machine is. */
const MANY = 50;
/** The limit never falls below this. It keeps a CPU and a pool of connections busy. */
const MIN_LIMIT = 20;
/** A longer wait is a sign of overload. */
const LONG_WAIT_MS = 30;
/** A long wait that ends within this time was only a burst. */
const BURST_MS = 200;
/** The first limit admits as many requests as are completed in this time, which is then about how long each takes. */
const TARGET_SECONDS = 0.4;
/** The rate is measured over the last second. */
const RATE_MS = 1000;
/** By how much each observation changes the limit, until the wait is just not long. */
const STEP = 1.05;

/**
 * Limits the requests in progress while more arrive than are completed. The limit follows the measured rate (requests in progress =
 * rate × duration, Little's law), so it needs no setting. Without overload there is no limit.
 */
export class ConcurrencyLimit {
  private inProgress = 0;
  private completed = 0;
  private limit = Number.POSITIVE_INFINITY;
  private longSince: number | undefined;
  private samples: { at: number; completed: number }[] = [];

  /** @returns false if the request must be refused. Otherwise call `leave` at its end. */
  tryEnter(): boolean {
    if (this.inProgress >= this.limit) return false;
    this.inProgress += 1;
    return true;
  }

  /** @param isServed whether it succeeded: failing quickly is not what the service can do */
  leave(isServed: boolean): void {
    this.inProgress -= 1;
    if (isServed) this.completed += 1;
  }

  isLimited(): boolean {
    return this.limit !== Number.POSITIVE_INFINITY;
  }

  /** Whether `observe` must be called regularly. */
  needsObservation(): boolean {
    return this.inProgress >= MANY || this.isLimited();
  }

  /**
   * Adapts the limit.
   * @param waitMs how long a request has to wait at the moment
   * @param now in ms
   */
  observe(waitMs: number, now: number): void {
    const perSecond = this.rate(now);
    const fitting = Math.max(MIN_LIMIT, perSecond * TARGET_SECONDS);
    this.longSince = waitMs > LONG_WAIT_MS ? (this.longSince ?? now) : undefined;
    if (this.longSince === undefined) this.limit *= STEP;
    else if (this.isLimited()) {
      // With more in progress, those from before the limit are what makes the others wait.
      if (this.inProgress <= Math.ceil(this.limit))
        this.limit = Math.max(MIN_LIMIT, Math.min(this.limit, fitting) / STEP);
    } else if (now - this.longSince >= BURST_MS && this.inProgress > Math.max(MANY, perSecond)) this.limit = fitting;
    if (this.limit > 2 * Math.max(fitting, this.inProgress)) this.limit = Number.POSITIVE_INFINITY;
  }

  /** Completed requests per second. */
  private rate(now: number): number {
    this.samples = [...this.samples.filter(({ at }) => now - at <= RATE_MS), { at: now, completed: this.completed }];
    const [first] = this.samples;
    return first && now > first.at ? ((this.completed - first.completed) * 1000) / (now - first.at) : 0;
  }
}
