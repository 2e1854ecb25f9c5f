// @ts-check
/** A conflict of two saves, of two graders or two tabs: shows both, and lets the grader choose. */

import { CELL, gradingPage } from "./api.js";
import { counted, dialog, listed, make, points, when, withFormulas } from "./dom.js";
import { scoreOf } from "./rubric.js";

/** @typedef {import("./saver.js").Mark} Mark */
/** @typedef {import("./saver.js").Grading} Grading */
/** @typedef {import("./rubric.js").Rubric} Rubric */

/**
 * Say which of several answers were not saved, with a link to each.
 * @param {string[]} students @param {(student: string) => string} call their names on the page
 * @returns {(Node | string)[]}
 */
export function notSaved(students, call) {
  const links = students.map((id) => make("a", { href: gradingPage(CELL, id) }, call(id)));
  const count = counted(students.length, "answer");
  const were = students.length > 1 ? "They were" : "It was";
  return [
    `Not saved: ${count}. ${were} graded elsewhere in the meantime. To look, open `,
    ...listed(links),
  ];
}

/**
 * @param {string} title @param {string} by @param {Mark} mark @param {Mark} other
 * @param {number | null} score @param {Rubric} rubric
 */
function version(title, by, mark, other, score, rubric) {
  const items = rubric.items.filter((item) => mark.chosen.includes(item.id));
  const line = (name, value, differs) =>
    make("div", { className: differs ? "other" : "" }, make("dt", {}, name), make("dd", {}, value));
  const list = make(
    "ul",
    { className: "plain" },
    ...items.map((item) =>
      make(
        "li",
        { className: other.chosen.includes(item.id) ? "" : "other" },
        `${points(item.points, true)} `,
        withFormulas("span", "", item.text),
      ),
    ),
  );
  const flag = (one) => (one.flagged ? one.flag_note || "yes" : "no");
  return make(
    "section",
    {},
    make("h3", {}, title),
    make("p", { className: "soft" }, by),
    make("p", { className: "score" }, points(score)),
    make(
      "dl",
      {},
      line("Items", items.length ? list : "none", false),
      line("Adjustment", points(mark.adjustment, true), mark.adjustment !== other.adjustment),
      line("Comment", mark.comment || "none", mark.comment.trim() !== other.comment.trim()),
      line("Graded", mark.done ? "yes" : "no", mark.done !== other.done),
      line("Flagged", flag(mark), flag(mark) !== flag(other)),
    ),
  );
}

/**
 * Show both versions and let the grader choose one.
 * @param {string} title @param {import("./saver.js").Entry} entry the grader's version
 * @param {Grading} theirs @param {Rubric} rubric @param {number} most points of the question
 * @returns {Promise<string>} "mine", "theirs", or "" for neither yet
 */
export function compare(title, { mark: mine, failure }, theirs, rubric, most) {
  const by = theirs.overridden ? "in formgrader" : theirs.grader || "somebody";
  const who = [by, when(theirs.at)].filter(Boolean).join(", ");
  const both = make(
    "div",
    { className: "both" },
    version("Saved", who, theirs, mine, theirs.score, rubric),
    version("Yours, not saved", "you, now", mine, theirs, scoreOf(rubric, mine, most), rubric),
  );
  return dialog(title, [make("p", {}, failure?.message ?? ""), both], {
    className: "wide",
    calm: true,
    buttons: [
      ["Keep the saved one", "", "theirs"],
      ["Save yours", "", "mine"],
      ["Later", "", ""],
    ],
  });
}
