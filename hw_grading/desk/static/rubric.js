// @ts-check
/** Shows and applies a rubric. */

import { button, byId, dialog, make, points, withFormulas } from "./dom.js";
import { keyOf } from "./keys.js";

/** @typedef {{id: string, points: number, text: string, note: string}} Item */
/** @typedef {{items: Item[], revision: number}} Rubric */

/**
 * Show the items as buttons. The items that apply are pressed.
 * @param {Element} list @param {Rubric} rubric @param {(id: string) => void} toggle
 */
export function showItems(list, rubric, toggle) {
  const rows = rubric.items.map((item, index) => {
    const key = keyOf(index);
    const about = { className: "item", "aria-pressed": "false", "data-item": item.id };
    const box = button(make("kbd", {}, key || "·"), () => toggle(item.id), about);
    box.append(
      make("span", { className: "points" }, points(item.points, true)),
      withFormulas("span", "text", item.text),
      make("span", { className: "hint", hidden: true }, "suggested"),
    );
    if (/^\d$/.test(key)) box.setAttribute("aria-keyshortcuts", key);
    const note =
      item.note &&
      make(
        "details",
        { className: "note" },
        make("summary", {}, "Note for graders"),
        withFormulas("div", "", item.note),
      );
    return make("li", {}, box, note);
  });
  const none = make("li", { className: "soft" }, "This rubric has no items. Press e to make some.");
  list.replaceChildren(...(rows.length ? rows : [none]));
}

/** Press the items that apply. @param {Element} list @param {Iterable<string>} chosen */
export function pressItems(list, chosen) {
  const ids = new Set(chosen);
  for (const button of list.querySelectorAll("button.item")) {
    button.setAttribute("aria-pressed", String(ids.has(/** @type {any} */ (button).dataset.item)));
  }
}

/** Mark the items that hints suggest. @param {Element} list @param {string[]} ids */
export function suggestItems(list, ids) {
  for (const button of list.querySelectorAll("button.item")) {
    const hint = /** @type {HTMLElement} */ (button.querySelector(".hint"));
    hint.hidden = !ids.includes(/** @type {any} */ (button).dataset.item);
  }
}

/**
 * Return the mark for all points: the items that give them, and the adjustment that they need.
 * @param {Rubric} rubric @param {number} most points of the question
 */
export function fullMarks(rubric, most) {
  const items = rubric.items.filter((item) => item.points > 0);
  const sum = items.reduce((total, item) => total + item.points, 0);
  return { chosen: items.map((item) => item.id), adjustment: Math.max(0, most - sum) };
}

/** Compute the score, as the server does. @param {Rubric} rubric @param {import("./saver.js").Mark} mark @param {number} most */
export function scoreOf(rubric, mark, most) {
  const items = rubric.items.filter((item) => mark.chosen.includes(item.id));
  const sum = items.reduce((total, item) => total + item.points, mark.adjustment);
  return mark.done ? Math.min(Math.max(sum, 0), most) : null;
}

/** Return one line for each item that is new, changed or gone. @param {Rubric} before @param {Rubric} after */
export function changes(before, after) {
  const old = new Map(before.items.map((item) => [item.id, item]));
  /** @type {[string, Item][]} */
  const rows = after.items.map((item) => {
    const was = old.get(item.id);
    old.delete(item.id);
    const pointed = was && was.points !== item.points;
    const worded = was && was.text !== item.text;
    const what = !was
      ? "new"
      : pointed
        ? `was ${points(was.points, true)}`
        : worded
          ? "reworded"
          : "";
    return [what, item];
  });
  for (const item of old.values()) rows.push(["deleted", item]);
  return make(
    "ol",
    { className: "changes" },
    ...rows.map(([what, item]) =>
      make(
        "li",
        { className: what === "deleted" ? "gone" : what ? "other" : "" },
        make("span", { className: "points" }, points(item.points, true)),
        withFormulas("span", "text", item.text),
        what && make("strong", {}, what),
      ),
    ),
  );
}

/**
 * Show a rubric that somebody else changed, and ask whether to save with it.
 * @param {Rubric} before @param {Rubric} after @param {string} message
 * @param {string} [yes] @returns {Promise<boolean>}
 */
export async function confirmChanged(before, after, message, yes = "Save with this rubric") {
  const content = [message && make("p", {}, message), changes(before, after)];
  /** @type {[string, string, string][]} */
  const buttons = [
    [yes, "main", "save"],
    ["Not yet", "", ""],
  ];
  return (await dialog("The rubric was changed", content, { calm: true, buttons })) === "save";
}

/** Show that somebody else changed the rubric, before the server refuses a save.
 * @param {import("./classlist.js").ClassList} list @param {() => boolean} saves
 * @param {(rubric: any) => void} use */
export function showNews(list, saves, use) {
  const box = byId("news");
  const now = list.newest;
  const news = now.revision !== list.rubric.revision && !saves();
  if (news === Boolean(box.children.length)) return;
  const look = async () => {
    if (await confirmChanged(list.rubric, now, "", "Use it")) use(now);
    showNews(list, saves, use);
  };
  box.replaceChildren(
    news
      ? make(
          "p",
          { className: "notice" },
          "The rubric was changed. ",
          button("Look at it", look),
        )
      : "",
  );
}
