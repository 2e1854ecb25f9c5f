// @ts-check
/** What each page has: the grader's name, which is asked for once, and what was not loaded. */

import { LOGIN, ask } from "./api.js";
import { button, byId, dialog, make } from "./dom.js";

/** @returns {Promise<string>} the grader's name */
export async function grader() {
  const { grader: known = "", canName } = document.body.dataset;
  const shown = byId("grader");
  if (known) {
    const name = make("bdi", {}, known);
    const look = { className: "quiet", title: "Another name" };
    const change = canName && button(name, () => rename(known), look);
    shown.replaceChildren(make("span", { className: "words" }, "You are "), change || name);
    return known;
  }
  return canName ? rename("") : "";
}

/** @param {string} before @returns {Promise<string>} */
async function rename(before) {
  const field = make("input", {
    id: "name",
    value: before,
    autocomplete: "name",
    maxLength: 128,
    autofocus: true,
  });
  field.setAttribute("autofocus", "");
  const trouble = make("p", { role: "alert", className: "alarm" });
  field.addEventListener("keydown", (event) => {
    if (event.key === "Enter") field.closest("dialog").querySelector("button.main").click();
  });
  const check = async (value) => {
    if (value !== "save") return before !== "";
    trouble.textContent = field.value.trim() ? "" : "Type a name, such as Kim.";
    if (trouble.textContent) return false;
    try {
      document.body.dataset.grader = (await ask(["grader"], { name: field.value.trim() })).grader;
      return true;
    } catch (error) {
      trouble.textContent = error.message;
      return false;
    }
  };
  await dialog(
    "What is your name?",
    [
      make(
        "p",
        {},
        "Other graders see it, and the history of each score keeps it. Students do not see it.",
      ),
      make("p", {}, make("label", { htmlFor: "name" }, "Name "), field),
      trouble,
    ],
    {
      buttons: [
        ["Save", "main", "save"],
        ...(before ? [/** @type {[string]} */ (["Cancel"])] : []),
      ],
      check,
    },
  );
  return grader();
}

/**
 * Return a paragraph.
 * @param {string} what @param {any} error @param {() => void} again @param {string} [className]
 */
export function notLoaded(what, error, again, className = "") {
  return make(
    "p",
    { className },
    `${what} was not loaded: ${error.message} `,
    error.login ? make("a", { href: LOGIN, target: "_blank" }, "Log in in another tab") : "",
    " ",
    button("Try again", again),
  );
}

/**
 * Load what a page shows, or say at its top why that failed.
 * @param {string} what @param {() => Promise<void>} load @returns {Promise<boolean>} whether it is there
 */
export async function loaded(what, load) {
  try {
    await load();
    byId("trouble").replaceChildren();
    return true;
  } catch (error) {
    const again = () => loaded(what, load);
    byId("trouble").replaceChildren(notLoaded(what, error, again));
    return false;
  }
}
