// @ts-check
/** The answers that are nearly the same as one, with the differences marked. */

import { CELL, ask, gradingPage } from "./api.js";
import { dialog, listed, make, points, say, showCleanedHtml } from "./dom.js";

/**
 * Show them in a dialog, and let the grader choose some of them.
 * @param {string} student @param {import("./classlist.js").ClassList} list
 * @param {string} verb what the page does with those that are chosen
 * @returns {Promise<string[]>} the students who are chosen
 */
export async function compareSimilar(student, list, verb) {
  let texts = [];
  try {
    ({ texts } = await ask(["similar", CELL, student]));
  } catch (error) {
    say(`The similar answers were not loaded: ${error.message}`);
    return [];
  }
  const rows = texts.map(({ students, html }) => {
    const text = make("div", { className: "similar" });
    showCleanedHtml(text, html);
    const who = students.map((id) => {
      const row = list.row(id);
      const score = row?.graded ? ` (${points(row.score)})` : "";
      return make("a", { href: gradingPage(CELL, id) }, `${list.call(id)}${score}`);
    });
    const box = make("input", { type: "checkbox", "data-students": JSON.stringify(students) });
    box.setAttribute("autofocus", "");
    return make("li", {}, make("label", {}, box, " ", ...listed(who)), text);
  });
  const all = make("ul", { className: "plain" }, ...rows);
  const marks = "its own words are crossed out, those of the other one are underlined.";
  const what = `Compared with ${list.call(student)}: ${marks}`;
  const choice = await dialog("Similar answers", [make("p", {}, what), all], {
    className: "wide",
    buttons: [
      [verb, "main", "give"],
      ["Close", "", ""],
    ],
  });
  const chosen = [...all.querySelectorAll("input:checked")];
  return choice ? chosen.flatMap((box) => JSON.parse(box.dataset.students)) : [];
}
