// @ts-check
/**
 * Saves marks so that none is lost.
 *
 * Requests are sent one at a time, in the order of the grader's actions. Each save names the
 * version that the previous save returned. The tab's session storage keeps a draft of each mark
 * until the server has acknowledged it. The draft is sent again after a failure, a reload or a
 * crash of the server.
 */

import { ASSIGNMENT, CELL, Failure, SECOND, ask } from "./api.js";

/** @typedef {{chosen: string[], adjustment: number, comment: string, done: boolean, flagged: boolean, flag_note: string}} Mark */
/** @typedef {Mark & {version: string, score: number | null, waits: boolean, overridden: boolean, changed: boolean, grader: string, at: string | null, given_comment: string}} Grading */
/**
 * @typedef {object} Entry
 * @property {string} student
 * @property {Grading | null} base the server's state, as far as this page knows
 * @property {string} version the version that the next save names
 * @property {string} digest digest of the answer that the grader looked at
 * @property {Mark} mark the grader's mark
 * @property {string[]} also students with the same answer, who get the same mark
 * @property {boolean} force whether to save even if the mark seems to be saved
 * @property {Failure | null} failure
 */

const PAUSE_IN_TYPING = 1_500; // milliseconds
const FIRST_RETRY = 2_000;
const LAST_RETRY = 30_000;
const DRAFTS = `hw-grading ${SECOND ? "second" : "desk"} ${ASSIGNMENT} ${CELL} `;

/** @param {Mark} grading @returns {Mark} */
export function markOf({ chosen, adjustment, comment, done, flagged, flag_note }) {
  return { chosen: [...chosen], adjustment, comment, done, flagged, flag_note };
}

/** @param {Mark} one @param {Mark} other */
function sameMark(one, other) {
  const plain = (/** @type {Mark} */ mark) => {
    const { chosen, comment, flag_note, ...rest } = markOf(mark);
    return JSON.stringify([[...chosen].sort(), comment.trim(), flag_note.trim(), rest]);
  };
  return plain(one) === plain(other);
}


export class Saver {
  /**
   * @param {object} page the page's callbacks
   * @param {() => number} page.revision of the rubric that the grader sees
   * @param {(students: string[]) => Record<string, [string, string]>} page.known versions and digests
   * @param {() => void} page.onState
   * @param {(student: string, grading: Grading) => void} page.onSaved
   * @param {(entry: Entry, theirs: Grading) => Promise<string>} page.onConflict "mine", "theirs", ""
   * @param {(rubric: any, message: string) => Promise<boolean>} page.onRubric whether to go on
   * @param {(student: string, message: string, theirs: Grading) => void} page.onRefused for `also`
   */
  constructor(page) {
    this.page = page;
    /** @type {Map<string, Entry>} */
    this.entries = new Map();
    /** @type {Entry | null} */
    this.sending = null;
    /** @type {any} */
    this.typing = null;
    /** @type {any} */
    this.retry = null;
    this.wait = FIRST_RETRY;
    this.asking = false;
    this.saved = ""; // the student whose answer was saved last
    addEventListener("beforeunload", (event) => {
      if (this.unsaved().length) event.preventDefault();
    });
    addEventListener("focus", () => this.failed()?.failure?.login && this.again());
    addEventListener("online", () => this.again());
    document.addEventListener("visibilitychange", () => document.hidden && this.flush());
  }

  /** Load the drafts that an earlier page of this tab could not save. */
  recover() {
    for (const key of Object.keys(sessionStorage)) {
      if (!key.startsWith(DRAFTS)) continue;
      try {
        const { mark, version, digest, also } = JSON.parse(sessionStorage.getItem(key) ?? "");
        const student = key.slice(DRAFTS.length);
        this.entries.set(student, this.entry(student, null, version, digest, mark, also));
      } catch {
        sessionStorage.removeItem(key);
      }
    }
    this.flush();
  }

  /** @returns {Entry} */
  entry(student, base, version, digest, mark, also = []) {
    return { student, base, version, digest, mark, also, force: false, failure: null };
  }

  /**
   * Register an answer from the server, and return the mark to show. A draft has priority.
   * @param {string} student @param {Grading} grading @param {string} digest @returns {Mark}
   */
  open(student, grading, digest) {
    const known = this.entries.get(student);
    if (known && this.waits(known)) {
      // The draft keeps the version that its grader saw, so that the server detects a conflict.
      if (!known.base && known.version === grading.version) known.base = grading;
      return known.mark;
    }
    const mark = markOf(grading);
    this.entries.set(student, this.entry(student, grading, grading.version, digest, mark));
    return mark;
  }

  /**
   * @param {string} student @param {Mark} mark
   * @param {{typing?: boolean, force?: boolean, also?: string[]}} [how] `typing`: save after a pause
   */
  change(student, mark, how = {}) {
    const entry = this.entries.get(student);
    if (!entry) return;
    entry.mark = mark;
    entry.also = how.also ?? entry.also;
    entry.force ||= how.force ?? false;
    const { failure } = entry;
    if (failure && !failure.passes && !failure.login && !failure.body.theirs) entry.failure = null;
    this.keepDraft(entry);
    clearTimeout(this.typing);
    this.typing = null;
    if (how.typing) this.typing = setTimeout(() => this.flush(), PAUSE_IN_TYPING);
    else this.flush();
    this.page.onState();
  }

  /** Store a grading from another source: an undo, a newer request. */
  adopt(student, grading) {
    const entry = this.entries.get(student);
    if (!entry || this.waits(entry)) return;
    Object.assign(entry, { base: grading, version: grading.version, mark: markOf(grading) });
  }

  /** @param {Entry} entry */
  waits(entry) {
    const typed = !entry.base || !sameMark(entry.mark, entry.base);
    return entry === this.sending || entry.force || typed || entry.failure !== null;
  }

  unsaved() {
    return [...this.entries.values()].filter((entry) => this.waits(entry));
  }

  /** Return the first answer that could not be saved. */
  failed() {
    return this.unsaved().find((entry) => entry.failure);
  }

  /** Retry the failed saves. */
  again() {
    clearTimeout(this.retry);
    this.retry = null;
    for (const entry of this.unsaved()) {
      if (entry.failure?.body.theirs) this.settle(entry, entry.failure.body.theirs);
      else entry.failure = null;
    }
    this.flush();
    this.page.onState();
  }

  /** Resolves when no mark is left that can be saved now. */
  async idle() {
    this.flush();
    const canSend = () =>
      !this.asking && !this.retry && this.unsaved().some((entry) => !entry.failure);
    while (this.sending || canSend()) await new Promise((resolve) => setTimeout(resolve, 20));
  }

  /** Start saving the waiting marks. */
  flush() {
    clearTimeout(this.typing);
    this.typing = null;
    if (this.sending || this.asking || this.retry) return;
    const entry = this.unsaved().find((one) => !one.failure);
    if (entry) this.send(entry);
  }

  /** @param {Entry} entry */
  async send(entry) {
    const { mark, also, force } = entry;
    const known = this.page.known(also.filter((student) => student !== entry.student));
    known[entry.student] = [entry.version, entry.digest];
    const column = (index) =>
      Object.fromEntries(Object.entries(known).map(([student, pair]) => [student, pair[index]]));
    this.sending = entry;
    entry.force = false; // changes made during this request belong to the next save
    this.page.onState();
    try {
      const answer = await ask([SECOND ? "second" : "save", CELL], {
        versions: column(0),
        digests: column(1),
        mark,
        rubric_revision: this.page.revision(),
      });
      this.sending = null;
      this.wait = FIRST_RETRY;
      this.take(entry, mark, answer);
    } catch (error) {
      this.sending = null;
      entry.force ||= force;
      await this.fail(entry, error instanceof Failure ? error : new Failure(String(error), -1));
    }
    this.page.onState();
    if (!this.typing) this.flush(); // a text is saved after a pause, or when its field is left
  }

  /** @param {Entry} entry @param {Mark} sent @param {any} answer from the server */
  take(entry, sent, { saved = {}, refused = {} }) {
    for (const [student, grading] of Object.entries(saved)) {
      if (student === entry.student) {
        // The server trims texts, so its mark counts as the one that was sent.
        const unchanged = sameMark(entry.mark, sent);
        Object.assign(entry, { base: grading, version: grading.version, failure: null });
        if (unchanged) {
          entry.mark = markOf(grading);
          sessionStorage.removeItem(DRAFTS + student);
        } else this.keepDraft(entry);
        this.saved = student;
      }
      this.page.onSaved(student, grading);
    }
    for (const [student, { message, theirs }] of Object.entries(refused)) {
      if (student === entry.student) this.conflict(entry, message, theirs);
      else this.page.onRefused(student, message, theirs);
    }
  }

  /** @param {Entry} entry @param {string} message @param {Grading} theirs */
  conflict(entry, message, theirs) {
    const { base } = entry;
    // A change of the rubric changed only the score or the version. The grader's mark is kept.
    const rescored = base && sameMark(base, theirs) && base.changed === theirs.changed;
    if ((rescored && !theirs.overridden) || sameMark(entry.mark, theirs)) {
      Object.assign(entry, { base: theirs, version: theirs.version });
      if (sameMark(entry.mark, theirs)) this.done(entry);
      return;
    }
    entry.failure = new Failure(message, 409, { theirs });
    this.settle(entry, theirs);
  }

  /** @param {Entry} entry @param {Grading} theirs */
  async settle(entry, theirs) {
    if (this.asking) return;
    this.asking = true;
    const choice = await this.page.onConflict(entry, theirs);
    this.asking = false;
    if (choice) {
      Object.assign(entry, { base: theirs, version: theirs.version, failure: null });
      if (choice === "theirs") {
        entry.mark = markOf(theirs);
        this.done(entry);
      } else entry.force = true;
    }
    this.flush();
    this.page.onState();
  }

  /** @param {Entry} entry */
  done(entry) {
    entry.force = false;
    this.saved = entry.student;
    sessionStorage.removeItem(DRAFTS + entry.student);
    if (entry.base) this.page.onSaved(entry.student, entry.base);
  }

  /** @param {Entry} entry @param {Failure} failure */
  async fail(entry, failure) {
    if (failure.status === 409 && failure.body.kind === "rubric") {
      this.asking = true;
      this.page.onState();
      const goOn = await this.page.onRubric(failure.body.rubric, failure.message);
      this.asking = false;
      if (goOn) return;
    }
    entry.failure = failure;
    if (!failure.passes) return;
    this.retry = setTimeout(() => this.again(), this.wait);
    this.wait = Math.min(2 * this.wait, LAST_RETRY);
  }

  /** @param {Entry} entry */
  keepDraft({ student, mark, version, digest, also }) {
    try {
      sessionStorage.setItem(DRAFTS + student, JSON.stringify({ mark, version, digest, also }));
    } catch {
      // The tab's storage is full. The page still has the mark, and asks before it closes.
    }
  }
}
