// @ts-check
/** Keyboard shortcuts. They are off while typing, with Ctrl, Alt or Meta, and behind a dialog. */

import { dialog, make } from "./dom.js";

const FIELDS = "input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]";

/**
 * Return the rubric item of a key: 1 to 9, and Shift with a digit from the tenth item on.
 * @param {KeyboardEvent} event @returns {number} from 0; -1 for none
 */
export function itemOf(event) {
  if (/^[1-9]$/.test(event.key)) return Number(event.key) - 1;
  const digit = /^Digit(\d)$/.exec(event.code);
  return digit && event.shiftKey && event.key !== "0" ? Number(digit[1]) + 9 : -1;
}

/** Return the key that toggles item `index`, counted from 0; "" for none. @param {number} index */
export function keyOf(index) {
  if (index < 9) return String(index + 1);
  return index < 19 ? `⇧${index - 9}` : "";
}

/**
 * Listen to keys.
 * @param {Record<string, () => void>} actions by key
 * @param {(index: number) => void} [onItem] for the number of an item
 */
export function listen(actions, onItem) {
  document.addEventListener("keydown", (event) => {
    const target = /** @type {Element} */ (event.target);
    if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return;
    if (target.closest?.(FIELDS) || document.querySelector("dialog[open]")) return;
    const action = actions[event.key] ?? actions[event.key.toLowerCase()];
    const index = itemOf(event);
    if (action && !(event.repeat && /^[^jk]$/.test(event.key))) action();
    else if (!action && index >= 0 && onItem && !event.repeat) onItem(index);
    else return;
    event.preventDefault();
  });
}

/** The keys on the page of one answer. @type {[string, string][]} */
export const KEYS = [
  ["1 … 9", "switch a rubric item on or off (⇧0 … ⇧9: the tenth and later ones)"],
  ["0", "full marks"],
  ["d", "graded, but no item applies"],
  ["+ −", "half a point more or less"],
  ["n", "next answer that is not graded"],
  ["j k", "next, previous answer"],
  ["c", "write a comment (Esc or Ctrl+Enter: leave it, ↓: choose a comment used before)"],
  ["u", "undo your last save"],
  ["f", "flag for a second look, and say why (Esc or Enter: leave the field)"],
  ["e", "edit the rubric"],
  ["q", "question and mark scheme"],
  ["i", "names of students"],
  ["g", "all answers in a grid"],
  ["?", "this help"],
];

/** Show the list of keys. @param {[string, string][]} lines keys and their actions */
export function showHelp(lines) {
  const rows = lines.map(([key, text]) =>
    make("tr", {}, make("th", { scope: "row" }, make("kbd", {}, key)), make("td", {}, text)),
  );
  dialog("Keys", [make("table", { className: "keys" }, make("tbody", {}, ...rows))]);
}
