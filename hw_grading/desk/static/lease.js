// @ts-check
/**
 * The lease of the open answer, by which other graders go elsewhere. It is a hint: whatever fails
 * here, answers are shown and saved. The server forgets a lease two minutes after its last renewal.
 */

import { CELL, ask } from "./api.js";

const RENEW = 30_000; // milliseconds after which a key or the pointer renews the lease
const SECONDS_TO_WAIT = 5;

/** @typedef {{student: string | null, others: string[], then: string | null,
 *   elsewhere: number}} Opened */

export class Lease {
  /** @param {(opened: Opened) => void} onOpened */
  constructor(onOpened) {
    this.onOpened = onOpened;
    const random = [...crypto.getRandomValues(new Uint8Array(16))]; // also without HTTPS
    this.page = random.map((byte) => byte.toString(16).padStart(2, "0")).join("");
    this.student = "";
    this.at = 0; // when it was renewed
    this.helping = false; // whether its grader has left the own share
    for (const kind of ["keydown", "pointerdown", "pointermove", "wheel"]) {
      addEventListener(kind, () => this.renew(), { capture: true, passive: true });
    }
    addEventListener("pagehide", () => this.leave());
  }

  renew() {
    if (this.student && Date.now() - this.at > RENEW) this.open(this.student);
  }

  /** @param {string} student whose answer the page shows from now on */
  async open(student) {
    await this.send({ student }).catch(() => {}); // nobody sees that the page is here
  }

  /** Open the answer with which this grader goes on. @param {string} here @returns {Promise<Opened>} */
  next(here) {
    return this.send({ here, helping: this.helping });
  }

  /** @param {object} wanted @returns {Promise<Opened>} */
  async send(wanted) {
    this.at = Date.now();
    const body = { page: this.page, ...wanted };
    const opened = await ask(["open", CELL], body, { seconds: SECONDS_TO_WAIT });
    if (opened.student) this.student = opened.student;
    this.onOpened(opened);
    return opened;
  }

  leave() {
    if (this.student) ask(["leave"], { page: this.page }, { keepalive: true }).catch(() => {});
  }
}
