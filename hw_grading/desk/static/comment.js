// @ts-check
/** The comment field, with suggestions from earlier comments and a preview for students. */

import { ask } from "./api.js";
import { button, byId, make, showCleanedHtml } from "./dom.js";

const PAUSE = 400; // milliseconds without a key press before the preview is requested
const MARKS = /[$`]/; // texts without these need no preview
const OFFERED = 5;

/** @param {string} text */
const wordsIn = (text) => text.toLowerCase().match(/[\p{L}\p{N}_]+/gu) ?? [];

export class Comment {
  /** @param {(text: string, typing: boolean) => void} onChange `typing`: more may follow at once */
  constructor(onChange) {
    /** @type {{text: string, times: number}[]} */
    this.used = [];
    this.field = byId("comment");
    this.preview = byId("preview");
    this.box = byId("used");
    /** @type {any} */
    this.timer = null;
    this.onChange = onChange;
    const parts = byId("commenting");
    this.field.addEventListener("input", () => {
      onChange(this.field.value, true);
      this.refresh();
    });
    this.field.addEventListener("keydown", (event) => this.key(event));
    this.field.addEventListener("focus", () => this.offer());
    parts.addEventListener("focusout", (event) => {
      if (parts.contains(/** @type {Node} */ (event.relatedTarget))) return;
      this.box.hidden = true;
      onChange(this.field.value, false);
    });
    this.box.addEventListener("keydown", (event) => {
      const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      const all = [this.field, ...this.box.querySelectorAll("button")];
      if (step) all[(all.indexOf(document.activeElement) + step + all.length) % all.length].focus();
      else if (event.key === "Escape") this.field.focus();
      else return;
      event.preventDefault();
    });
  }

  /** @param {string} text */
  show(text) {
    if (this.field.value !== text) this.field.value = text;
    this.refresh();
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    const leave =
      event.key === "Escape" || (event.key === "Enter" && (event.ctrlKey || event.metaKey));
    const last = this.field.value.indexOf("\n", this.field.selectionEnd) < 0;
    if (leave) this.field.blur();
    else if (event.key === "ArrowDown" && last && !event.shiftKey) {
      const first = this.box.querySelector("button");
      if (!first) return;
      first.focus();
    } else return;
    event.preventDefault();
  }

  /** Suggest earlier comments that have half of the typed words, the most alike first. A word may have only begun. */
  offer() {
    const typed = wordsIn(this.field.value);
    const shared = (text) => {
      const words = wordsIn(text);
      return typed.filter((one) => words.some((word) => word.startsWith(one))).length;
    };
    const fits = this.used
      .filter(({ text }) => text.trim() !== this.field.value.trim())
      .map((one) => ({ ...one, shared: shared(one.text) }))
      .filter((one) => 2 * one.shared >= typed.length)
      .sort((one, other) => other.shared - one.shared)
      .slice(0, OFFERED);
    const take = (text) => () => {
      this.field.value = text;
      this.field.focus();
      this.onChange(text, true);
      this.refresh();
    };
    const lines = fits.map(({ text, times }) => {
      const line = button(make("span", { className: "text" }, text), take(text));
      line.append(make("span", { className: "soft" }, ` ${times}×`));
      return make("li", {}, line);
    });
    this.box.querySelector("ul").replaceChildren(...lines);
    this.box.hidden = !fits.length;
  }

  refresh() {
    if (document.activeElement === this.field) this.offer();
    clearTimeout(this.timer);
    const text = this.field.value;
    if (!MARKS.test(text)) this.preview.hidden = true;
    else this.timer = setTimeout(() => this.render(text), PAUSE);
  }

  /** @param {string} text */
  async render(text) {
    try {
      const { html } = await ask(["preview"], { text });
      if (this.field.value !== text) return;
      showCleanedHtml(this.preview, html);
      this.preview.hidden = false;
    } catch {
      this.preview.hidden = true; // the saver reports problems with the server
    }
  }
}
