// @ts-check
/** The list of answers that are flagged for another look. */

import { ask, gradingPage } from "./api.js";
import { namesAreShown } from "./classlist.js";
import { byId, make } from "./dom.js";
import { grader } from "./grader.js";
import { showNotLoaded } from "./trouble.js";

async function load() {
  try {
    const { flagged } = await ask(["flagged"]);
    const rows = flagged.map(({ cell, title, student, name, number, note, grader: by }) =>
      make(
        "tr",
        {},
        make("th", { scope: "row" }, title),
        make("td", {}, make("bdi", {}, namesAreShown() ? name || student : `Answer ${number ?? "–"}`)),
        make("td", {}, note || make("span", { className: "soft" }, "no note")),
        make("td", {}, make("bdi", {}, by || "")),
        make(
          "td",
          {},
          make("a", { className: "button", href: gradingPage(cell, student) }, "Look again"),
        ),
      ),
    );
    const table = make(
      "table",
      {},
      make(
        "thead",
        {},
        make(
          "tr",
          {},
          ...["Question", "Answer", "Why", "Flagged by", "Do"].map((head) =>
            make("th", { scope: "col" }, head),
          ),
        ),
      ),
      make("tbody", {}, ...rows),
    );
    byId("flagged").replaceChildren(rows.length ? table : make("p", {}, "No answer is flagged."));
    byId("flagged").removeAttribute("aria-busy");
    byId("trouble").replaceChildren();
  } catch (error) {
    showNotLoaded("The list", error, load);
  }
}

grader().then(load);
