// @ts-check
/** What a class got wrong: its figures, and the answers that failed alike, with name and pardon. */

import { address, ask, readingPage } from "./api.js";
import { NAMES } from "./classlist.js";
import { button, byId, counted, dialog, listed, make, points, say, showCleanedHtml, table } from "./dom.js";
import { grader, loaded } from "./page.js";

const PAUSE = 300; // milliseconds without a key press before the preview is requested
const LONGEST = 500; // characters of a sentence
const BAR = 34; // pixels
const MAX_LINKS = 5; // to answers that are the same
let named = sessionStorage.getItem(NAMES) === "yes"; // whether names are shown

// -- the class

/** @param {string} tag @param {Record<string, any>} attributes @param {string} [text] */
function drawn(tag, attributes, text = "") {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  element.textContent = text;
  return element;
}

/** A bar for each range of points: above it the students, below it the lowest points. @param {any} total */
function histogram({ bars, most }) {
  const highest = Math.max(...bars.map(([, count]) => count));
  const width = BAR * bars.length + 8;
  const all = bars.filter(([, count]) => count);
  const said = all.map(([low, count]) => `${points(low)}${low < most ? " and more" : ""}: ${count}`);
  const label = `Students by points: ${said.join(", ")}`;
  const about = { viewBox: `0 0 ${width} 112`, role: "img", "aria-label": label };
  const picture = drawn("svg", about);
  picture.style.maxWidth = `${width}px`;
  picture.append(drawn("line", { x1: 0, x2: width, y1: 94.5, y2: 94.5 }));
  bars.forEach(([low, count], place) => {
    const height = (78 * count) / highest;
    const middle = BAR * place + 21;
    const box = { x: BAR * place + 6, y: 94 - height, width: 30, height };
    picture.append(drawn("rect", place === bars.length - 1 ? { ...box, class: "full" } : box));
    if (count) picture.append(drawn("text", { x: middle, y: 90 - height }, String(count)));
    picture.append(drawn("text", { class: "low", x: middle, y: 108 }, points(low)));
  });
  return picture;
}

const rounded = (value) => (value === null ? "–" : value.toFixed(2));

/** @param {any} figures @param {Set<string>} wrong tests that have groups */
function theClass(figures, wrong) {
  const { students, handed_in: handedIn, graded, of_tests: ofTests, total, questions } = figures;
  const about = `${counted(students, "student")}, ${handedIn} submitted, ${graded} graded by tests.`;
  if (!graded) return [make("p", {}, about)];
  const what = ofTests ? "The tests give" : "In all:";
  const why = ofTests ? " The points that people give are not counted until all answers are graded." : "";
  const said = `${what} ${rounded(total.mean)} of ${points(total.most)} points in the mean, median ${rounded(total.median)}, spread ${rounded(total.spread)}.${why}`;
  /** @type {[string, (question: any) => any][]} the figures that any question has */
  const columns = [
    ["Answered", ({ answered }) => String(answered)],
    ["Mean", (one) => rounded(one.points.mean)],
    ["Of", (one) => points(one.points.most)],
    ["In %", ({ points: { mean, most } }) => (mean === null || !most ? "–" : `${Math.round((100 * mean) / most)} %`)],
    ["Spread", (one) => rounded(one.points.spread)],
    ["Waiting", ({ waiting }) => waiting && String(waiting)],
    ["Time limit", ({ timed_out: times }) => times && String(times)],
  ];
  const shown = columns.filter(([, of]) => questions.some(of));
  const rows = questions.map((one) => {
    const name = wrong.has(one.cell) ? make("a", { href: `#of-${one.cell}` }, one.title) : one.title;
    return [
      make("th", { scope: "row" }, name),
      ...shown.map(([, of]) => make("td", { className: "number" }, of(one) || "")),
    ];
  });
  const right = shown.map(([head]) => make("th", { scope: "col", className: "number" }, head));
  const scroll = { className: "scroll", tabIndex: 0, role: "region", "aria-label": "Questions" };
  return [
    make("p", {}, about),
    make("p", {}, said),
    histogram(total),
    make("p", { className: "soft" }, "Below each bar are its lowest points; the last has full marks."),
    make("div", scroll, table(["Question", ...right], rows)),
  ];
}

// -- a group

/** @param {any} group */
function summaryOf({ students, lost, message, sentence, several, pardons }) {
  const about = [`${points(-lost)} points`];
  if (several) about.push("may be several mistakes");
  if (pardons.length) about.push("got points back");
  return make(
    "summary",
    {},
    make("strong", {}, counted(students, "student")),
    about.join(" · "),
    make("span", { className: "what" }, sentence ? make("strong", {}, sentence) : message),
  );
}

/** @param {string} test @param {any} group */
function groupOf(test, group) {
  const inside = make("div", { className: "opened" });
  const box = make("details", { className: "group" }, summaryOf(group), inside);
  const renew = (changed) => {
    box.classList.toggle("known", Boolean(changed.sentence));
    box.firstElementChild?.replaceWith(summaryOf(changed));
  };
  box.classList.toggle("known", Boolean(group.sentence));
  const load = async () => {
    if (!box.open || inside.childElementCount) return;
    inside.append(make("p", { className: "soft" }, "Loading…"));
    try {
      show(await ask(["group", test, group.id]));
    } catch (error) {
      inside.replaceChildren();
      box.open = false;
      say(`The answers were not loaded: ${error.message}`);
    }
  };
  const show = (found) => {
    const had = inside.contains(document.activeElement) && document.activeElement?.textContent;
    renew(found);
    inside.replaceChildren(answers(found), actions(test, found, show, () => box.querySelector("summary")?.focus()));
    const buttons = [...inside.querySelectorAll(".act button")];
    const same = had && (buttons.find((one) => one.textContent === had) ?? buttons[0]);
    if (same) same.focus(); // keep the focus, because the forms are made again
  };
  box.addEventListener("toggle", load);
  return box;
}

/** Make the code of a group's answers. @param {any} found */
function answers(found) {
  const { message, sentence, code, by, others, more, numbers, names } = found;
  const who = (students) => {
    const links = students.map((student) => {
      const href = found.answer ? readingPage(found.answer, student) : address("student", student);
      const number = `answer ${numbers[student]}`;
      return make("a", { href, "data-number": number, "data-name": names[student] || student }, number);
    });
    const line = make("p", { className: "soft" });
    const rest = links.splice(links.length > MAX_LINKS + 1 ? MAX_LINKS : links.length);
    line.append(...(links.length + rest.length > 1 ? [`${links.length + rest.length} alike: `] : []), ...listed(links));
    const all = () => {
      line.querySelector("button")?.remove();
      line.append(...listed(rest));
      rest[0].focus();
    };
    if (rest.length) line.append(", ", button(`${rest.length} more`, all, { className: "quiet" }));
    return line;
  };
  const codeBox = (label, ...lines) => {
    const about = { className: "code", tabIndex: 0, role: "region", "aria-label": label };
    return make("pre", about, ...lines);
  };
  const line = (text) => make("span", {}, text);
  const marks = { "-": "del", "+": "ins", " ": "span" };
  const changed = ([mark, text]) => make(marks[mark], {}, `${mark} ${text}`);
  const box = make(
    "div",
    {},
    sentence && make("h3", {}, "What the test says"),
    sentence && make("p", {}, message),
    make("h3", {}, others.length ? "The shortest answer" : "The answer"),
    code.length ? codeBox("The answer", ...code.map(line)) : make("p", {}, "The graded notebook has no code here."),
    who(by),
  );
  if (others.length) {
    const differ = others.map(({ by: students, lines }, place) =>
      make("li", {}, who(students), codeBox(`Other answer ${place + 1}`, ...lines.map(changed))),
    );
    const title = `How ${counted(others.length, "other answer differs", "other answers differ")}`;
    box.append(
      make(
        "details",
        { open: others.length < 4 },
        make("summary", {}, title),
        make("p", { className: "soft" }, "Lines with − are in the answer above alone, lines with + in this one alone."),
        make("ul", { className: "plain" }, ...differ),
      ),
    );
  }
  if (more) box.append(make("p", { className: "soft" }, `${counted(more, "answer")} more of this group ${more === 1 ? "is" : "are"} not shown.`));
  call(box);
  return box;
}

/** Call students by names or numbers. @param {ParentNode} within */
function call(within) {
  /** @type {NodeListOf<HTMLElement>} */
  const links = within.querySelectorAll("a[data-number]");
  for (const link of links) link.textContent = (named ? link.dataset.name : link.dataset.number) ?? "";
}

/** Make the forms with which a mistake is named and pardoned. */
function actions(test, found, show, focus) {
  const { id, sentence, named: own, nameable, terms, proposed, pardons, gains, plan } = found;
  const parts = [];
  /** @param {string} said @param {(changed: any) => any} what @param {string[]} where @param {object} body */
  const send = async (said, what, where, body) => {
    try {
      const changed = await ask(where, body);
      say(said);
      what(changed);
    } catch (error) {
      say(`Not saved: ${error.message}`);
    }
  };
  if (nameable) parts.push(...naming());
  parts.push(make("h3", {}, "Is it right after all?"));
  for (const pardon of pardons) parts.push(pardoned(pardon));
  if (gains.length) parts.push(button("Give the points…", give));
  else if (!pardons.length) parts.push(make("p", { className: "soft" }, "These answers have their points already."));
  return make("div", { className: "act" }, ...parts);

  function naming() {
    const label = `sentence-${id}`;
    const field = make("textarea", { id: label, rows: 3, maxLength: LONGEST, value: sentence });
    const read = make("div", { className: "read content", "aria-live": "polite" });
    /** @type {any} */
    let timer = null;
    const preview = async () => {
      const text = field.value.trim();
      if (!text) return read.replaceChildren(make("p", { className: "soft" }, "Nothing but the message."));
      try {
        const { html } = await ask(["preview"], { text });
        if (text === field.value.trim()) showCleanedHtml(read, html);
      } catch (error) {
        read.textContent = `There is no preview: ${error.message}`;
      }
    };
    field.addEventListener("input", () => {
      clearTimeout(timer);
      timer = setTimeout(preview, PAUSE);
    });
    preview();
    const take = () => {
      field.value = proposed;
      preview();
      field.focus();
    };
    const save = (text, said) =>
      send(said, (changed) => show({ ...found, ...changed }), ["mistake", test, id], { sentence: text });
    const told = "Saved. Students read it when you write the feedback again.";
    const many = Object.entries(terms).map(([term, count]) => `${term}: ${count}`);
    return [
      make("h3", {}, make("label", { htmlFor: label }, "What happened, in a sentence for these students")),
      field,
      proposed && !sentence && make("p", {}, "A wrong answer with these results is known: ", button(proposed, take, { className: "quiet" })),
      make("p", { className: "soft" }, "They read in their feedback:"),
      read,
      sentence && !own && make("p", { className: "soft" }, "This sentence is for some of these wrong results, wherever they are. What you save here is for these answers alone."),
      many.length > 0 && make("p", { className: "soft" }, `Students who had it: ${many.join(", ")}`),
      make(
        "p",
        { className: "buttons" },
        button("Save", () => (field.value.trim() ? save(field.value, told) : field.focus()), { className: "main" }),
        own && button("Remove", () => save("", "The mistake has no name any more.")),
      ),
    ].filter(Boolean);
  }

  function pardoned({ key, reason, author, points: given, students }) {
    const undo = async () => {
      const again = async () => show(await ask(["group", test, id]));
      await send("The points are as before.", again, ["correct", test, "undo"], { correction: key });
    };
    return make(
      "p",
      {},
      make("strong", {}, `${counted(students, "student")} got ${points(given, true)}`),
      " by ",
      make("bdi", {}, author),
      `: ${reason} `,
      button("Undo", undo),
    );
  }

  async function give() {
    const reason = make("input", { id: "reason", size: 40, maxLength: 2000 });
    reason.setAttribute("autofocus", "");
    const trouble = make("p", { role: "alert", className: "alarm" });
    const rows = gains.map(([each, students]) =>
      make("li", {}, `${counted(students, "student")}: ${points(each, true)} each`),
    );
    const check = async (value) => {
      if (value !== "give") return true;
      trouble.textContent = reason.value.trim() ? "" : "Type a reason, which students read.";
      if (trouble.textContent) return false;
      try {
        show(await ask(["pardon", test, id], { plan, reason: reason.value }));
        say("The points are given. Students read the reason when you write the feedback again.");
        return true;
      } catch (error) {
        trouble.textContent = error.message;
        return false;
      }
    };
    reason.addEventListener("keydown", (event) => {
      if (event.key === "Enter") reason.closest("dialog").querySelector("button.main").click();
    });
    await dialog(
      "Give these answers their points",
      [
        make("ul", { className: "changes" }, ...rows),
        make("p", {}, make("label", { htmlFor: "reason" }, "Reason (students read it)"), reason),
        trouble,
      ],
      { buttons: [["Give the points", "main", "give"], ["Cancel", "", ""]], check },
    );
    if (document.activeElement === document.body) focus();
  }
}

// -- the page

/** @param {any} question */
function section({ cell, title, groups }) {
  const several = groups.filter((group) => group.students > 1);
  const alone = groups.filter((group) => group.students === 1);
  const made = (group) => groupOf(cell, group);
  const box = make(
    "section",
    { id: `of-${cell}`, "aria-labelledby": `title-${cell}` },
    make("h2", { id: `title-${cell}` }, title),
    ...several.map(made),
  );
  if (alone.length) {
    const what = `${counted(alone.length, "answer")} unlike all others`;
    const rest = make("details", { className: "alone" }, make("summary", {}, what));
    const open = () => rest.append(...alone.map(made));
    rest.addEventListener("toggle", open, { once: true });
    box.append(rest);
  }
  return box;
}

async function load() {
  const { figures, questions } = await ask(["mistakes"]);
  const wrong = new Set(questions.map((one) => one.cell));
  byId("figures").replaceChildren(...theClass(figures, wrong));
  byId("figures").removeAttribute("aria-busy");
  const none = make("p", {}, "No test took points for a known reason.");
  byId("questions").replaceChildren(...(questions.length ? questions.map(section) : [none]));
}

function showNames() {
  sessionStorage.setItem(NAMES, named ? "yes" : "");
  byId("names").setAttribute("aria-pressed", String(named));
  call(document);
}

byId("names").addEventListener("click", () => {
  named = !named;
  showNames();
});
showNames();
grader().then(() => loaded("The page", load));
