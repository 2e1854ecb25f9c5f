// @ts-check
/** The dialog for changing a rubric. It shows the effect on scores before it saves. */

import { CELL, ask } from "./api.js";
import { button, counted, dialog, make, points, say } from "./dom.js";

/** @typedef {import("./rubric.js").Rubric} Rubric */

/** Parse a typed number, also "1,5" and "−1". @param {string} text */
export function number(text) {
  const plain = text.trim().replace("−", "-").replace(",", ".");
  return plain === "" ? NaN : Number(plain);
}

/** Refuse what is no part of a number, and say so at the field. @param {InputEvent} event */
export function numbersOnly(event) {
  const field = /** @type {HTMLInputElement} */ (event.target);
  const refused = /[^\d.,+−-]/.test(event.data ?? "");
  field.setCustomValidity(refused ? "Points are a number, such as 1 or -0.5." : "");
  if (!refused) return;
  event.preventDefault();
  field.reportValidity();
}

const NUMBER = { inputMode: "decimal", autocomplete: "off", onbeforeinput: numbersOnly };

let rows = 0;

/** @param {Partial<import("./rubric.js").Item>} item */
function itemRow(item) {
  const name = (what) => `${what}-${rows}`;
  rows += 1;
  const field = (tag, what, value, more) => {
    const [id, className] = [name(what), what.toLowerCase()];
    return [
      make("label", { className: "unseen", htmlFor: id }, what),
      make(tag, { id, className, value, autocomplete: "off", ...more }),
    ];
  };
  const move = (by) => (event) => {
    const { parentElement: list } = row;
    const other = by < 0 ? row.previousElementSibling : row.nextElementSibling;
    if (by < 0) list.insertBefore(row, other);
    else other?.after(row);
    event.currentTarget.focus();
  };
  const remove = () => {
    const next = row.nextElementSibling ?? row.previousElementSibling;
    row.remove();
    next?.querySelector("input")?.focus();
  };
  const row = make(
    "li",
    { "data-item": item.id ?? "" },
    ...field("input", "Points", String(item.points ?? ""), NUMBER),
    make(
      "div",
      {},
      ...field("textarea", "Text", item.text ?? "", { rows: 1, placeholder: "What students read" }),
      ...field("textarea", "Note", item.note ?? "", { rows: 1, placeholder: "For graders only" }),
    ),
    make(
      "div",
      { className: "buttons" },
      button("↑", move(-1), { "aria-label": "Move up" }),
      button("↓", move(1), { "aria-label": "Move down" }),
      button("×", remove, { "aria-label": "Delete" }),
    ),
  );
  return row;
}

/** Return the form, and a function that reads the rubric from it. @param {Rubric} rubric */
function form(rubric) {
  const list = make("ol", { className: "editor" }, ...rubric.items.map(itemRow));
  const add = button("Add an item", () => {
    const row = itemRow({});
    list.append(row);
    row.querySelector("input").focus();
  });
  const read = () => ({
    items: [...list.children].map((row) => ({
      id: row.dataset.item,
      points: number(row.querySelector(".points").value),
      text: row.querySelector(".text").value.trim(),
      note: row.querySelector(".note").value.trim(),
    })),
  });
  const check = (read) => {
    const index = read.items.findIndex((item) => !item.text || !Number.isFinite(item.points));
    if (index >= 0) {
      const wrong = read.items[index].text ? ".points" : ".text";
      list.children[index].querySelector(wrong).focus();
      return `Item ${index + 1} needs ${wrong === ".text" ? "a text that students read" : "a number of points, such as 1 or -0.5"}.`;
    }
    const given = read.items.map((item) => item.points);
    if (given.some((one) => one < 0) && !given.some((one) => one > 0)) {
      list.querySelector(".points").focus();
      return "Points are added from 0, but no item has positive points. To add one point, write 1.";
    }
    return "";
  };
  return { elements: [list, add], read, check };
}

/** @param {{student: string, before: number, after: number}[]} rescored @param {(student: string) => string} named */
function scores(rescored, named) {
  const called = rescored.map((one) => ({ ...one, name: named(one.student) }));
  called.sort((one, other) => one.name.localeCompare(other.name, "en", { numeric: true }));
  const rows = called.map(({ name, before, after }) =>
    make(
      "tr",
      { className: after < before ? "less" : "more" },
      make("th", { scope: "row" }, name),
      make("td", { className: "number" }, points(before)),
      make("td", {}, "→"),
      make("td", { className: "number" }, points(after)),
    ),
  );
  return make("table", {}, make("tbody", {}, ...rows));
}

/**
 * Let a grader change the rubric.
 * @param {Rubric} rubric
 * @param {(student: string) => string} named returns a student's name on this page
 * @param {(rubric: Rubric, rescored: any[]) => void} changed called after the save
 */
export async function editRubric(rubric, named, changed) {
  const { elements, read, check } = form(rubric);
  const trouble = make("p", { role: "alert", className: "alarm" });
  elements[0].querySelector("input")?.setAttribute("autofocus", "");
  const first = JSON.stringify(read());
  const leaving = (event) => JSON.stringify(read()) !== first && event.preventDefault();
  addEventListener("beforeunload", leaving);

  const save = async () => {
    const wanted = { ...read(), revision: rubric.revision };
    trouble.textContent = check(wanted);
    if (trouble.textContent) return false;
    try {
      const { rescored } = await ask(["rubric", CELL, "preview"], { rubric: wanted });
      if (rescored.length) {
        const title = `This changes ${counted(rescored.length, "score")}`;
        const choice = await dialog(title, [scores(rescored, named)], {
          className: "preview",
          buttons: [
            [`Change ${counted(rescored.length, "score")}`, "main", "change"],
            ["Back", "", ""],
          ],
        });
        if (choice !== "change") return false;
      }
      const answer = await ask(["rubric", CELL], { rubric: wanted });
      changed(answer.rubric, answer.rescored ?? []);
      return true;
    } catch (error) {
      const theirs = error.body?.rubric;
      trouble.textContent = `Not saved: ${error.message}`;
      if (theirs) {
        // Keep the typed text, and base the next attempt on the current rubric.
        rubric = theirs;
        const list = theirs.items
          .map((item) => `${points(item.points, true)} ${item.text}`)
          .join(" · ");
        trouble.append(` It is now: ${list}. To replace it with yours, save again.`);
      }
      return false;
    }
  };
  const leave = () =>
    JSON.stringify(read()) === first || confirm("You would lose your changes to the rubric.");
  await dialog("Edit the rubric", [...elements, trouble], {
    className: "wide",
    buttons: [
      ["Save", "main", "save"],
      ["Cancel", "", ""],
    ],
    check: (value) => (value === "save" ? save() : leave()),
  });
  removeEventListener("beforeunload", leaving);
}

/**
 * Show that a rubric was changed, with a button to undo it.
 * @param {any[]} rescored @param {(rubric: Rubric, rescored: any[]) => void} changed
 */
export function offerUndo(rescored, changed) {
  const undo = async () => {
    try {
      const answer = await ask(["rubric", CELL, "undo"], {});
      changed(answer.rubric, answer.rescored ?? []);
      say("Your change to the rubric was undone.");
    } catch (error) {
      say(`Not undone: ${error.message}`);
    }
  };
  const effect = rescored.length ? ` ${counted(rescored.length, "score")} changed.` : "";
  say(`The rubric is saved.${effect} `, button("Undo", undo));
}
