// @ts-check
/** The panel around an answer: marks, position, state of saving. */

import { LOGIN, address } from "./api.js";
import { button, byId, counted, make, points } from "./dom.js";
import { pressItems, scoreOf, suggestItems } from "./rubric.js";

/** @typedef {import("./saver.js").Mark} Mark */
/** @typedef {import("./classlist.js").ClassList} ClassList */

/**
 * Show the mark of an answer.
 * @param {Mark} mark @param {any} answer @param {ClassList} list
 */
export function showMarking(mark, answer, list) {
  const most = list.question.max_points;
  pressItems(byId("items"), mark.chosen);
  const suggested = list.suggestedIn(answer);
  suggestItems(byId("items"), suggested);
  byId("suggestions").hidden = !Object.keys(list.question.conditions).length;
  for (const id of ["take", "yes"]) byId(id).disabled = !suggested.length;
  const { grading } = answer;
  // Until a changed mark is saved, show its own score. The server also knows formgrader's scores.
  const [own, saved] = [mark, grading].map((one) => scoreOf(list.rubric, one, most));
  const waits = own === saved ? grading.waits : !mark.done;
  byId("score").textContent = points(own === saved ? grading.score : own);
  byId("score").classList.toggle("waits", waits);
  byId("of").textContent = `of ${points(most)}${waits ? ", not graded" : ""}`;
  const bare = !mark.chosen.length && !mark.adjustment;
  byId("nothing").setAttribute("aria-pressed", String(mark.done && bare));
  if (document.activeElement !== byId("adjustment")) {
    byId("adjustment").value = mark.adjustment ? points(mark.adjustment, true) : "0";
  }
  byId("flag").setAttribute("aria-pressed", String(mark.flagged));
  byId("flag-line").hidden = !mark.flagged;
  if (document.activeElement !== byId("flag-note")) byId("flag-note").value = mark.flag_note;
  const same = list.sameAs(answer.student).filter((id) => id !== answer.student);
  byId("same-line").hidden = !same.length;
  const graded = same.filter((id) => list.row(id)?.graded).length;
  const others = same.length === 1 ? "the other one" : `the ${same.length} others`;
  const notes = [graded && `${graded} graded`, list.partly].filter(Boolean).join("; ");
  byId("same-line").querySelector("span").textContent =
    `Also for ${others} of this group${notes ? ` (${notes})` : ""}`;
  const similar = list.similarTo(answer.student).length;
  byId("similar").hidden = !similar;
  byId("similar").querySelector("span").textContent = counted(similar, "similar answer");
}

/**
 * Show the position of this answer, and how many answers are graded.
 * @param {ClassList} list @param {string} student
 */
export function showPosition(list, student) {
  const of = list.rows.length;
  byId("bar").max = of || 1;
  byId("bar").value = list.done;
  byId("done-text").textContent = `${list.done} of ${of} graded`;
  const place = list.places.get(student) ?? 0;
  const among = list.filtered.indexOf(student) + 1;
  const filtered = among ? `, ${among} of ${list.filtered.length} filtered` : "";
  byId("number").textContent = `Answer ${place + 1} of ${of}${filtered}`;
  byId("previous").disabled = list.neighbour(student, -1) === undefined;
  byId("next").disabled = list.neighbour(student, 1) === undefined;
  byId("names").setAttribute("aria-pressed", String(list.named));
  const name = list.named ? list.row(student)?.name || student : "";
  byId("who").replaceChildren(
    name && make("bdi", {}, make("a", { href: address("student", student) }, name)),
  );
  document.title = `${list.question.title}, answer ${place + 1} of ${of}`;
}

/**
 * Show whether everything is saved. If not, show why and what to do.
 * @param {import("./saver.js").Saver} saver @param {ClassList} list @param {string} student
 */
export function showSaving(saver, list, student) {
  const state = byId("state");
  const failed = saver.failed();
  const left = saver.unsaved().length;
  state.className = failed ? "alarm" : "soft";
  const text = failed ? "Not saved" : left ? "Saving…" : saver.saved === student ? "Saved" : "";
  if (state.textContent !== text) state.textContent = text;
  const trouble = byId("trouble");
  if (!failed) return trouble.replaceChildren();
  const { failure } = failed;
  const again = failure?.body.theirs ? "Compare" : "Try again";
  const what = failure?.login
    ? [
        " Log in ",
        make("a", { href: LOGIN, target: "_blank" }, "in another tab"),
        ", then come back: the page keeps what you typed. ",
      ]
    : [
        failure?.passes
          ? " The page keeps what you typed and tries again. "
          : " The page keeps what you typed. ",
      ];
  const many = left > 1 ? ` (${counted(left, "answer")})` : ` (${list.call(failed.student)})`;
  trouble.replaceChildren(
    make(
      "p",
      {},
      make("strong", {}, "Not saved"),
      `${many}: ${failure?.message}`,
      ...what,
      button(again, () => saver.again()),
    ),
  );
}
