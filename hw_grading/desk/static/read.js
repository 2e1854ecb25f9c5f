// @ts-check
/** Any answer of a student, also one that tests graded: its parts, comments on it, corrections. */

import { CELL, address, ask, gradingPage, readingPage } from "./api.js";
import { NAMES } from "./classlist.js";
import { Comment } from "./comment.js";
import { why } from "./content.js";
import { testsCard } from "./corrections.js";
import { button, byId, dialog, enlargePictures, historyOf, make, points, say, scrolling, showCleanedHtml, table, when } from "./dom.js";
import { listen } from "./keys.js";
import { grader, loaded } from "./page.js";

const STUDENT = new URLSearchParams(location.search).get("student") ?? "";
const box = byId("commenting");
/** @type {any} */
let answer = null;
/** @type {any} */
let draft = null; // what is being written: its line, and what was there
let saving = false;

/** @param {number} line */
const where = (line) => (line ? `line ${line}` : "the whole answer");
/** @param {number} line */
const saidOf = (line) => answer.comments.find((one) => one.line === line);
const isChanged = () => draft !== null && comment.field.value.trim() !== draft.text;

// -- comments

/** @param {any} one @param {string} at what it is about, if that is not seen */
function note(one, at) {
  const text = make("div", { className: "content" });
  showCleanedHtml(text, one.html);
  const by = make("p", { className: "soft" }, at && `On ${at}. `, make("bdi", {}, one.grader), `, ${when(one.at)} `);
  by.append(button("Change", () => open(one.line), { "aria-label": `Change the comment on ${where(one.line)}` }));
  const earlier = one.outdated && make("p", { className: "alarm" }, "About an earlier version of the answer.");
  return make("div", { className: "given", "data-line": one.line }, earlier, by, text);
}

/** Put the field for a comment below its line. */
function place() {
  const below = draft?.line && byId("answer").querySelector(`li[data-line="${draft.line}"]`);
  (below || byId("notes")).append(box);
}

/** Write a comment on a line, or on the whole answer. @param {number} line */
async function open(line) {
  if (isChanged() && !(await save())) return;
  const { text = "", at = null, outdated = false } = saidOf(line) ?? {};
  draft = { line, text, at, outdated };
  place();
  box.hidden = false;
  box.querySelector("label").textContent = `Comment for the student on ${where(line)}`;
  byId("earlier").textContent = text ? "An empty text removes it. Ctrl+Enter saves." : "Ctrl+Enter saves.";
  comment.show(text);
  comment.field.focus();
}

function close() {
  const { line } = draft;
  draft = null;
  box.hidden = true;
  back(line);
}

/** Put the focus on what opens the field for a line. @param {number} line */
function back(line) {
  const opener = byId("answer").querySelector(`li[data-line="${line}"] .line`);
  if (opener) pick(opener);
  else byId("whole").focus();
}

/** Save what is written; return whether it is saved. */
async function save() {
  if (saving || !draft) return false;
  if (!isChanged() && !draft.outdated) return close(), true;
  saving = true;
  const { line, at } = draft;
  const body = { student: STUDENT, line, seen: at, text: comment.field.value, digest: answer.digest };
  try {
    answer = await ask(["comment", CELL], body);
    close();
    show();
    back(line);
    say(body.text.trim() ? `The comment on ${where(line)} is saved.` : "The comment is removed.");
    return true;
  } catch (error) {
    if (error.body?.kind === "comment") await choose(error.body);
    else say(`Not saved: ${error.message}`, button("Try again", save));
    return false;
  } finally {
    saving = false;
  }
}

/** Show both versions of a comment, and let the grader choose. @param {any} refused */
async function choose({ message, theirs }) {
  const version = (title, text) =>
    make("section", {}, make("h3", {}, title), make("p", {}, text || "none"));
  const both = make("div", { className: "both" }, version("Saved", theirs?.text), version("Yours, not saved", comment.field.value));
  const choice = await dialog("Two versions", [make("p", {}, message), both], {
    className: "wide",
    buttons: [["Keep the saved one", "", "theirs"], ["Save yours", "", "mine"], ["Later", "", ""]],
  });
  Object.assign(draft, { text: theirs?.text ?? "", at: theirs?.at ?? null });
  if (choice === "theirs") close();
  await load();
  if (choice === "mine") setTimeout(save);
}

// -- the answer

/** Give a line's number the focus, and let Tab lead to it. @param {any} one */
function pick(one) {
  for (const other of byId("answer").querySelectorAll("button.line")) other.tabIndex = -1;
  one.tabIndex = 0;
  one.focus();
}

/** @param {string} html @param {number} index */
function codeLine(html, index) {
  const line = index + 1;
  const said = saidOf(line);
  const number = button(String(line), () => open(line), {
    className: "line quiet",
    "aria-label": `Comment on line ${line}`,
    tabIndex: index ? -1 : 0,
  });
  const code = make("code");
  showCleanedHtml(code, html);
  return make("li", { "data-line": line }, number, code, said && !said.outdated && note(said, ""));
}

/** @param {any} one of a test */
function partRow({ name, points: most, earned, passed, fresh, message, is_whole: whole }) {
  return [
    make("th", { scope: "row" }, whole ? "The whole test" : name),
    `${points(earned)} of ${points(most)}`,
    make("div", { className: passed ? "" : "alarm" }, message || (passed ? "passed" : "failed"), fresh && " (on a fresh case)"),
  ];
}

function show() {
  const { lines, html, comments, tests, events, errors, missing, status, reason, late } = answer;
  const [text, kind] = why({ status, reason });
  byId("status").replaceChildren(
    reason ? make("p", { className: kind }, text) : "",
    late ? make("p", {}, `Late: ${late}`) : "",
    ...errors.map((error) => make("p", { className: "alarm" }, `The cell ended in an error: ${error}`)),
  );
  const outputs = make("div", { className: "content" });
  showCleanedHtml(outputs, html);
  enlargePictures(outputs, "Plot");
  const code = make("ol", { className: "plain content code-lines" }, ...lines.map(codeLine));
  byId("answer").replaceChildren(missing && make("p", { className: "soft" }, missing), lines.length ? code : "", outputs);
  byId("answer").removeAttribute("aria-busy");
  byId("hint").hidden = !lines.length;
  const seen = (one) => one.line && !one.outdated && one.line <= lines.length;
  const below = comments.filter((one) => !seen(one));
  byId("notes").replaceChildren(...below.map((one) => note(one, where(one.line))));
  if (draft) place();
  byId("whole").disabled = false;
  byId("whole").hidden = answer.by_hand; // its mark has a comment
  comment.used = answer.used;
  const parts = tests.flatMap((test) => test.parts.map(partRow));
  const table_ = parts.length && make("section", { className: "card" }, make("h2", {}, "Parts of the tests"), scrolling("Parts of the tests", table(["Part", "Points", "Message"], parts)));
  byId("tests").replaceChildren(table_ || "", tests.length ? testsCard(STUDENT, tests, load) : "");
  byId("history").replaceChildren(events.length ? make("section", { className: "card" }, historyOf(answer.title, events)) : "");
}

async function load() {
  answer = await ask(["read", CELL, STUDENT]);
  byId("title").textContent = answer.title;
  byId("who").href = address("student", STUDENT);
  for (const id of ["previous", "next"]) {
    byId(id).hidden = answer[id] === null;
    byId(id).href = readingPage(answer[id] ?? "", STUDENT);
  }
  byId("grade").hidden = !answer.by_hand;
  byId("grade").href = gradingPage(CELL, STUDENT);
  name();
  const focus = document.activeElement === comment.field;
  show();
  if (focus) comment.field.focus();
}

// -- the page

function name() {
  const named = sessionStorage.getItem(NAMES) === "yes";
  byId("names").setAttribute("aria-pressed", String(named));
  byId("who").textContent = `All answers of ${named ? answer.name || STUDENT : "this student"}`;
}

function names() {
  sessionStorage.setItem(NAMES, sessionStorage.getItem(NAMES) === "yes" ? "" : "yes");
  name();
}

const comment = new Comment(() => {});
comment.field.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) save();
  if (event.key === "Escape" && !isChanged()) close();
});
byId("save").addEventListener("click", save);
byId("close").addEventListener("click", close);
byId("answer").addEventListener("keydown", (event) => {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!step || !event.target.matches("button.line")) return;
  const all = [...byId("answer").querySelectorAll("button.line")];
  const next = all[all.indexOf(event.target) + step];
  if (next) pick(next);
  event.preventDefault();
});
addEventListener("beforeunload", (event) => isChanged() && event.preventDefault());
const whole = () => (answer.by_hand ? location.assign(gradingPage(CELL, STUDENT)) : open(0));
listen({ c: whole, i: names }, () => {}, () => answer !== null);
grader().then(() => loaded("The answer", load));
