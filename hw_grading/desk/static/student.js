// @ts-check
/** All answers of one student with their history, for a regrade request. */

import { ask, gradingPage } from "./api.js";
import { why } from "./content.js";
import { byId, enlargePictures, make, points, showCleanedHtml, when } from "./dom.js";
import { grader } from "./grader.js";
import { showNotLoaded } from "./trouble.js";

const STUDENT =
  document.body.dataset.student || decodeURIComponent(location.pathname.split("/").at(-1) ?? "");

/** @param {string} title @param {any[]} events */
function history(title, events) {
  if (!events.length)
    return make("p", { className: "soft" }, "Nobody has graded this answer on the desk.");
  const rows = events.map((event) =>
    make(
      "tr",
      {},
      make("td", {}, when(event.at)),
      make("td", {}, make("bdi", {}, event.grader)),
      make("td", {}, event.action),
      make("td", {}, `${points(event.score_before)} → ${points(event.score_after)}`),
      make("td", {}, event.what || ""),
    ),
  );
  return make(
    "div",
    { className: "scroll", tabIndex: 0, role: "region", "aria-label": `History of ${title}` },
    make(
      "table",
      {},
      make(
        "thead",
        {},
        make(
          "tr",
          {},
          ...["When", "Who", "Action", "Score", "What"].map((head) =>
            make("th", { scope: "col" }, head),
          ),
        ),
      ),
      make("tbody", {}, ...rows),
    ),
  );
}

/** @param {any} question @param {any} answer @param {any[]} events */
function card({ cell, title, max_points: most }, answer, events) {
  const { grading } = answer;
  const content = make("div", { className: "content" });
  showCleanedHtml(content, answer.html);
  enlargePictures(content, "Plot");
  const given = answer.given_html && make("blockquote", { className: "given content" });
  if (given) showCleanedHtml(given, answer.given_html);
  const byPeople = !grading.waits && (events.length || grading.overridden);
  const notRun = !byPeople && answer.status === "not graded" && "not run yet";
  const score =
    notRun || (grading.waits ? "not graded" : `${points(grading.score)} of ${points(most)}`);
  const notes = [
    grading.overridden && "The score was changed in formgrader.",
    grading.changed && "The student submitted again after it was graded.",
    grading.flagged && `Flagged${grading.flag_note ? `: ${grading.flag_note}` : "."}`,
  ].filter(Boolean);
  return make(
    "section",
    { className: "card" },
    make(
      "h2",
      {},
      title,
      make("span", { className: grading.waits ? "waits" : "" }, score),
      !notRun &&
        make(
          "a",
          { className: "button", href: gradingPage(cell, STUDENT) },
          grading.waits ? "Grade" : "Grade again",
        ),
    ),
    ...notes.map((note) => make("p", { className: "alarm" }, note)),
    given,
    make("details", {}, make("summary", {}, "Answer"), content),
    make(
      "details",
      { open: true },
      make("summary", {}, `History (${events.length})`),
      history(title, events),
    ),
  );
}

async function load() {
  try {
    const { questions } = await ask(["overview"]);
    const all = (what) =>
      Promise.all(questions.map(({ cell }) => ask([what, cell, STUDENT])));
    const [answers, histories] = await Promise.all([all("answer"), all("history")]);
    const cards = [];
    for (const [index, answer] of answers.entries()) {
      if (!index) {
        byId("title").textContent = answer.name ? `${answer.name} (${STUDENT})` : STUDENT;
        document.title = byId("title").textContent;
        byId("status").replaceChildren(
          answer.reason
            ? make("p", { className: why(answer)[1] }, why(answer)[0])
            : "",
          answer.late
            ? make(
                "p",
                {},
                typeof answer.late === "string" ? `Late: ${answer.late}` : "Submitted late.",
              )
            : "",
        );
      }
      cards.push(card(questions[index], answer, histories[index].events));
    }
    byId("answers").replaceChildren(...cards);
    byId("answers").removeAttribute("aria-busy");
    byId("trouble").replaceChildren();
  } catch (error) {
    byId("title").textContent = STUDENT;
    byId("answers").replaceChildren();
    showNotLoaded("The student", error, load);
  }
}

grader().then(load);
