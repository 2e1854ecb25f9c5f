// @ts-check
/** Measures how long a grader looks at an answer, without hidden pages and long breaks. */

const LONGEST = 300; // seconds; a longer look counts as this

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

  /** Return the seconds since the start or the last call, and start again. */
  taken() {
    const seconds = Math.min(this.before + this.elapsed(), LONGEST);
    this.start();
    return seconds;
  }
}
