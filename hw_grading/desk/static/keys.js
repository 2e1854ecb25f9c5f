// @ts-check
/** Keyboard shortcuts. They are off in a text field, with Ctrl, Alt or Meta, and behind a dialog. */

import { button, byId, dialog, make, say } from "./dom.js";

const FIELDS = "input:not([type=checkbox]), textarea, select";

/**
 * Return the rubric item of a key: 1 to 9, and Shift with a digit from the tenth item on.
 * @param {KeyboardEvent} event @returns {number} from 0; -1 for none
 */
function itemOf(event) {
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
 * Listen to keys, and to the buttons that name them. While the page is not ready, or an action is
 * at work, keys wait with a sign. Then they are used in order: as commands, and as text from the
 * command on that leads to a text field.
 * So the same keys do the same, however slow the server is.
 * @param {Record<string, () => any>} actions by key; a promise that one returns is its work
 * @param {(index: number) => any} onItem for the number of an item
 * @param {() => boolean} [ready] whether commands have something to work on
 * @param {(key: string) => boolean} [atOnce] whether a key works also if the page is not ready
 * @returns {() => void} to be called when the page is ready
 */
export function listen(actions, onItem, ready = () => true, atOnce = () => false) {
  /** @type {{key: string, run: (() => any) | undefined}[]} */
  let waiting = [];
  let busy = false;
  const sign = make("p", { className: "toast", role: "status", hidden: true });
  document.body.append(sign);
  const drop = () => {
    waiting = [];
    sign.hidden = true;
  };
  const run = (command) => {
    const work = command();
    if (!(work instanceof Promise)) return;
    busy = true;
    work.finally(() => {
      busy = false;
      setTimeout(resume);
    });
  };
  const resume = () => {
    while (waiting.length && ready() && !busy) {
      const field = /** @type {any} */ (document.activeElement);
      if (document.querySelector("dialog[open]")) {
        const keys = waiting.map(({ key }) => key).join(" ");
        drop();
        return say(`A dialog opened, so these keys were not used: ${keys}`);
      }
      const { key, run: command } = waiting.shift() ?? { key: "" };
      if (field?.matches(FIELDS) && field.setRangeText) type(field, key);
      else if (command) run(command);
    }
    if (!waiting.length) drop();
  };
  for (const element of document.querySelectorAll("button[aria-keyshortcuts]")) {
    const key = element.getAttribute("aria-keyshortcuts") ?? "";
    element.addEventListener("click", () => (ready() || atOnce(key)) && run(actions[key]));
  }
  document.addEventListener("keydown", (event) => {
    const target = /** @type {Element} */ (event.target);
    const typed = event.getModifierState("AltGraph"); // signs such as $ need it on some keyboards
    if ((event.ctrlKey || event.altKey || event.metaKey) && !typed) return;
    if (event.isComposing) return;
    if (target.closest?.(FIELDS) || document.querySelector("dialog[open]")) return;
    if (sign.contains(target)) return;
    const { key } = event;
    const index = itemOf(event);
    const onKey = actions[key] ?? actions[key.toLowerCase()];
    const command = onKey ?? (index >= 0 ? () => onItem(index) : undefined);
    const late = waiting.length > 0 || busy;
    if (event.repeat && !/^[jk]$/.test(key)) return;
    if (late || (!ready() && !atOnce(key))) {
      if (!late && !command) return;
      if (key.length > 1 && !["Enter", "Escape", "Backspace"].includes(key)) return;
      waiting.push({ key, run: command });
      sign.replaceChildren(
        `These keys wait until the page is ready: ${waiting.map((one) => one.key).join(" ")} `,
        button("Drop them", drop),
      );
      sign.hidden = false;
    } else if (command) run(command);
    else return;
    event.preventDefault();
  });
  // A click may lead to another answer, for which the keys were not meant.
  document.addEventListener("click", (event) => event.isTrusted && drop(), true);
  return resume;
}

/** Do in a text field what a key does there. @param {HTMLTextAreaElement | HTMLInputElement} field @param {string} key */
function type(field, key) {
  const end = field.selectionEnd ?? 0;
  if (key === "Escape" || (key === "Enter" && field.tagName === "INPUT")) return field.blur();
  if (key === "Backspace") field.setRangeText("", Math.max(end - 1, 0), end, "end");
  else field.setRangeText(key === "Enter" ? "\n" : key, end, end, "end");
  field.dispatchEvent(new Event("input", { bubbles: true }));
}

/** Show the page's list of keys, which its template has. */
export function showHelp() {
  dialog("Keys", [byId("keys").content.cloneNode(true)]);
}
