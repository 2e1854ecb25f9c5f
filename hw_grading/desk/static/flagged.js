// @ts-check
/** The list of answers that are flagged for another look. */

import { ask, gradingPage } from "./api.js";
import { namesAreShown } from "./classlist.js";
import { byId, make, table } from "./dom.js";
import { grader, showNotLoaded } from "./page.js";

async function load() {
  try {
    const { flagged } = await ask(["flagged"]);
    const rows = flagged.map(({ cell, title, student, name, number, note, grader: by }) => [
      make("th", { scope: "row" }, title),
      make("bdi", {}, namesAreShown() ? name || student : `Answer ${number ?? "–"}`),
      note || make("span", { className: "soft" }, "no note"),
      make("bdi", {}, by || ""),
      make("a", { className: "button", href: gradingPage(cell, student) }, "Look again"),
    ]);
    const all = table(["Question", "Answer", "Why", "Flagged by", "Do"], rows);
    byId("flagged").replaceChildren(rows.length ? all : make("p", {}, "No answer is flagged."));
    byId("flagged").removeAttribute("aria-busy");
    byId("trouble").replaceChildren();
  } catch (error) {
    showNotLoaded("The list", error, load);
  }
}

grader().then(load);
