// @ts-check
/** The grader's name at the top of each page. The page asks once if the server has no name. */

import { ask } from "./api.js";
import { byId, dialog, make } from "./dom.js";

/** @returns {Promise<string>} the grader's name */
export async function grader() {
  const { grader: known = "", canName } = document.body.dataset;
  const shown = byId("grader");
  if (known) {
    const change =
      canName &&
      make(
        "button",
        { type: "button", className: "quiet", title: "Another name", onclick: () => rename(known) },
        make("bdi", {}, known),
      );
    shown.replaceChildren(
      make("span", { className: "words" }, "You are "),
      change || make("bdi", {}, known),
    );
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
