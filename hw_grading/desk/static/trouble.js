// @ts-check
/** Says that something was not loaded, and offers another try. */

import { LOGIN } from "./api.js";
import { byId, make } from "./dom.js";

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
    make("button", { type: "button", onclick: again }, "Try again"),
  );
}

/** Show it at the top of the page. @param {string} what @param {any} error @param {() => void} again */
export function showNotLoaded(what, error, again) {
  byId("trouble").replaceChildren(notLoaded(what, error, again));
}
