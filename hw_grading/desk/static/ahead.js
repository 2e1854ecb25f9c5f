// @ts-check
/** Loads answers before a grader comes to them. */

import { CELL, ask } from "./api.js";

const KEPT = 20_000; // milliseconds for which a preloaded answer counts as fresh

export class Ahead {
  constructor() {
    /** @type {Map<string, {at: number, answer: Promise<any>}>} */
    this.loaded = new Map();
  }

  /** Return an answer, preloaded or from the server. @param {string} id @param {boolean} [fresh] */
  load(id, fresh = false) {
    const kept = this.loaded.get(id);
    if (kept && !fresh && Date.now() - kept.at < KEPT) return kept.answer;
    const answer = ask(["answer", CELL, id]);
    answer.catch(() => this.loaded.delete(id));
    this.loaded.set(id, { at: Date.now(), answer });
    return answer;
  }

  /** Drop an answer that has changed. @param {string} id */
  drop(id) {
    this.loaded.delete(id);
  }

  /** Drop all answers. */
  dropAll() {
    this.loaded.clear();
  }

  /** Drop answers that are too old. */
  dropOld() {
    for (const [id, { at }] of this.loaded)
      if (Date.now() - at > KEPT) this.loaded.delete(id);
  }
}
