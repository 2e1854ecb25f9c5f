// @ts-check
/** The content of an answer: the code beside it, numbers, text, pictures and notices. */

import {
  button,
  byId,
  enlargePictures,
  listedNames,
  make,
  points,
  showCleanedHtml,
} from "./dom.js";

/** @param {string} text @param {string} [kind] @param {...(Node | string)} more */
function notice(text, kind = "", ...more) {
  return make("p", { className: `notice ${kind}` }, text, ...more);
}

const WAIT = "If autograde is running, wait until it ends.";

/**
 * Return why a submission has no full grading, and the kind of the notice.
 * @param {any} answer @returns {[string, string]}
 */
export function why({ status, reason }) {
  return status === "not graded"
    ? [`${reason} ${WAIT}`, "waits"]
    : [`The submission failed: ${reason}`, "alarm"];
}

/**
 * Return the notices that a grader has to read before the answer.
 * @param {any} answer @param {string[]} others who have it open too
 * @param {() => void} keep saves the mark once more
 */
function notices(answer, others, keep) {
  const { reason, late, lacks, grading } = answer;
  const list = [];
  if (others.length) list.push(notice("Open now also by ", "waits", ...listedNames(others)));
  if (reason) list.push(notice(...why(answer)));
  if (lacks.length) {
    const what = `The grader does not have ${lacks.join(", ")}, which this notebook imports. `;
    const how = "An instructor can add packages: c.ExecuteSubmission.packages.";
    list.push(notice(`${what}The cell may have worked for the student. ${how}`, "alarm"));
  }
  if (late) list.push(notice(`Late: ${late}`));
  if (grading.changed) {
    const changed = "The student submitted this answer again after it was graded. ";
    list.push(notice(changed, "alarm", button("The marks are still right", keep)));
  }
  if (grading.overridden) {
    const box = notice(
      `The score was changed in formgrader to ${points(grading.score)}. ` +
        "If the rubric changes, this score stays. If you grade here, your score replaces it.",
      "alarm",
    );
    if (grading.given_comment) box.append(make("q", {}, grading.given_comment));
    list.push(box);
  }
  return list;
}

/** @param {any} answer as the server gives it @param {string[]} others @param {() => void} keep */
export function showNotices(answer, others, keep) {
  byId("notices").replaceChildren(...notices(answer, others, keep));
}

/** Show what a program saw of the plots, what is wrong first. @param {any} hints */
function showHints({ wrong, shown }) {
  const box = byId("hints");
  box.hidden = !shown.length;
  const about = "Taken from the student's own run, so it may be forged: look at the plot.";
  const lines = shown.flatMap((line) => [make("br", {}), line]).slice(shown.length > 1 ? 0 : 1);
  box.replaceChildren(
    make("span", { className: "soft", title: about }, "Hints: "),
    make("strong", {}, wrong.join(" · ")),
    wrong.length && shown.length === 1 ? " · " : "",
    ...lines,
  );
}

/** Show an answer. @param {any} answer as the server gives it */
export function showContent(answer) {
  const beside = byId("beside");
  const blocks = (list, kind) =>
    (list ?? []).map(({ title, html }) => {
      const content = make("div", {
        className: "content",
        tabIndex: 0,
        role: "group",
        "aria-label": title,
      });
      showCleanedHtml(content, html);
      enlargePictures(content, title);
      return make("section", { className: kind }, make("h2", {}, title), content);
    });
  beside.replaceChildren(...blocks(answer.numbers, "numbers"), ...blocks(answer.beside, "code"));
  beside.hidden = !beside.children.length;
  // Scroll to the end: a training prints its result last.
  for (const printed of beside.querySelectorAll(".numbers .content"))
    printed.scrollTop = printed.scrollHeight;
  const text = byId("answer-text");
  if (answer.missing && answer.reason)
    text.replaceChildren(make("p", { className: "soft" }, "There is no answer."));
  else showCleanedHtml(text, answer.html);
  enlargePictures(text, "Plot");
  showHints(answer.hints);
  byId("answer").classList.toggle("empty", answer.empty || answer.missing);
  text.scrollTop = 0;
  byId("work").scrollTop = 0;
}

/** Show the question and its mark scheme. @param {any} question */
export function showQuestion(question) {
  const [text, scheme] = [make("div", {}), make("div", {})];
  showCleanedHtml(text, question.text_html);
  showCleanedHtml(scheme, question.scheme_html || "");
  byId("question-text").replaceChildren(
    make("h2", { className: "unseen" }, "Question"),
    text,
    ...(question.scheme_html
      ? [
          make(
            "details",
            { open: !question.scheme_is_rubric },
            make("summary", {}, "Mark scheme"),
            scheme,
          ),
        ]
      : []),
  );
  const panel = byId("question");
  const wide = matchMedia("(min-width: 72rem)").matches;
  const key = `hw-grading desk question${wide ? "" : " narrow"}`;
  const remembered = localStorage.getItem(key);
  panel.open = remembered ? remembered === "open" : wide;
  panel.addEventListener("toggle", () => localStorage.setItem(key, panel.open ? "open" : "closed"));
}
