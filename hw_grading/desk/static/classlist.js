// @ts-check
/** The answers of one question: their order, the way through them, and some loaded ahead. */

import { CELL, QUESTION, SECOND, ask } from "./api.js";

const KEPT = 20_000; // milliseconds for which an answer that was loaded ahead counts as fresh

/**
 * @typedef {{student: string, name: string, graded: boolean, flagged: boolean, score: number | null,
 *   empty: boolean, missing: boolean, failed: boolean, error: boolean, changed: boolean,
 *   overridden: boolean, version: string, digest: string, excerpt: string, pictures: number,
 *   hints: string[],
 *   lacks: string[], chosen: string[], grader: string}} Row
 */

export const NAMES = "hw-grading desk names";
export const GRID = `hw-grading grid ${CELL}`; // the filter of the grid, and whom it shows

export class ClassList {
  constructor() {
    /** @type {Row[]} */
    this.rows = [];
    /** @type {any} */
    this.question = null;
    /** @type {any} */
    this.rubric = null; // the rubric that the grader sees
    /** @type {any} */
    this.newest = null; // the server's rubric
    /** @type {{read: number, of: number} | undefined} */
    this.reading = undefined; // how far the server has read the class's notebooks
    /** @type {{text: string, times: number}[]} */
    this.comments = [];
    /** @type {string[][]} */
    this.same = []; // groups of students with the same answer
    /** @type {string[][]} */
    this.similar = []; // and with texts that are similar to the first one
    /** @type {Map<string, number>} */
    this.places = new Map();
    /** @type {Map<string, [number, import("./saver.js").Grading]>} */
    this.fresh = new Map(); // gradings by student, with the time when this page got them
    /** @type {Map<string, {at: number, answer: Promise<any>}>} */
    this.loaded = new Map(); // answers by student, some loaded before the grader comes to them
    this.named = sessionStorage.getItem(NAMES) === "yes"; // whether names are shown
    /** @type {string[]} */
    this.filtered = []; // the students whom the grid showed, if it was filtered
  }

  /** Return an answer, loaded ahead or from the server. @param {string} student @param {boolean} [fresh] */
  answer(student, fresh = false) {
    for (const [id, { at }] of this.loaded) if (Date.now() - at > KEPT) this.loaded.delete(id);
    const kept = this.loaded.get(student);
    if (kept && !fresh) return kept.answer;
    const answer = ask([SECOND ? "second" : "answer", CELL, student]);
    answer.catch(() => this.loaded.delete(student));
    this.loaded.set(student, { at: Date.now(), answer });
    return answer;
  }

  /** Load the question. The rubric that the grader sees does not change. */
  async load() {
    const start = performance.now();
    const { question, rubric, students, comments, same, similar, reading } = await ask([
      QUESTION,
      CELL,
    ]);
    this.rubric ??= rubric;
    this.newest = rubric;
    Object.assign(this, { question, comments, same, similar, reading, rows: students });
    this.places = new Map(students.map((row, place) => [row.student, place]));
    // Gradings saved during the request are newer than the list.
    for (const [student, [at, grading]] of this.fresh) {
      if (at >= start) this.graded(student, grading);
      else this.fresh.delete(student);
    }
  }

  /** @param {string} student @returns {Row | undefined} */
  row(student) {
    return this.rows[this.places.get(student) ?? -1];
  }

  /** Return the student's name on this page: a number while names are hidden. @param {string} student */
  call(student) {
    const place = this.places.get(student);
    if (this.named || place === undefined) return this.row(student)?.name || student;
    return `Answer ${place + 1}`;
  }

  /** Return the students with this answer, as far as the server has read them. @param {string} student */
  sameAs(student) {
    return this.same.find((group) => group.includes(student)) ?? [];
  }

  /** Return the students with a similar text that is not the same. @param {string} student */
  similarTo(student) {
    const same = new Set([student, ...this.sameAs(student)]);
    const group = this.similar.find((group) => group.includes(student)) ?? [];
    return group.filter((id) => !same.has(id));
  }

  /** Say that the server has not read all answers; "" if it has. */
  get partly() {
    const { read = 0, of = 0 } = this.reading ?? {};
    return read < of ? `so far: ${read} of ${of} notebooks are read` : "";
  }

  /** Return the items that the hints on an answer suggest. @param {any} answer @returns {string[]} */
  suggestedIn(answer) {
    return this.rubric.items.map(({ id }) => id).filter((id) => answer.hints.suggested.includes(id));
  }

  toggleNames() {
    this.named = !this.named;
    sessionStorage.setItem(NAMES, this.named ? "yes" : "");
  }

  /** @param {string} student @param {import("./saver.js").Grading} grading */
  graded(student, grading) {
    this.fresh.set(student, [performance.now(), grading]);
    this.loaded.delete(student);
    const row = this.row(student);
    if (!row) return;
    const { version, score, flagged, overridden, changed } = grading;
    Object.assign(row, { version, score, flagged, overridden, changed, graded: !grading.waits });
  }

  /** Return the previous or next student, in the filtered grid if one came from there. @param {string} student @param {number} step @returns {string | undefined} */
  neighbour(student, step) {
    const place = this.filtered.indexOf(student);
    if (place >= 0) return this.filtered[place + step];
    return this.rows[(this.places.get(student) ?? -1) + step]?.student;
  }

  /** Return the next student whose answer is not graded, from the end back to the begin; null for none. @param {string} student */
  ungraded(student) {
    const from = (this.places.get(student) ?? -1) + 1;
    const rows = [...this.rows.slice(from), ...this.rows.slice(0, from)];
    return rows.find((row) => !row.graded)?.student ?? null;
  }

  /** Return how many answers are graded. */
  get done() {
    return this.rows.filter((row) => row.graded).length;
  }
}
