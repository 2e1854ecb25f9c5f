// @ts-check
/** How long a grader looks at an answer: only while the page is seen, and not over a break. */

const LONGEST = 300; // seconds that one look counts at most

export class Look {
  constructor() {
    this.since = 0;
    this.before = 0;
    document.addEventListener("visibilitychange", () => {
      if (document.hidden) this.before += this.elapsed();
      this.since = document.hidden ? 0 : Date.now();
    });
  }

  elapsed() {
    return this.since ? (Date.now() - this.since) / 1000 : 0;
  }

  start() {
    this.before = 0;
    this.since = document.hidden ? 0 : Date.now();
  }

  /** Seconds since the start, or since they were taken last. */
  taken() {
    const seconds = Math.min(this.before + this.elapsed(), LONGEST);
    this.start();
    return seconds;
  }
}
