
"use strict";
const link = document.getElementById("request-file");
const empty = atob(link.href.split(",")[1]);
const fields = [...document.querySelectorAll(".ask textarea")];
const said = document.querySelector("#asking output");
const most = Number(said.dataset.most);
for (const one of document.querySelectorAll(".with-script")) one.hidden = false;
for (const one of document.querySelectorAll(".without-script")) one.hidden = true;
document.querySelector("#asking button").addEventListener("click", () => {
  const asked = fields.filter((field) => field.value.trim());
  const file = JSON.parse(empty);
  said.textContent = asked.length ? "" : "You have written nothing yet.";
  if (asked.length > most) said.textContent = `You ask about ${asked.length} of at most ${most} questions: empty a field.`;
  if (said.textContent) return;
  const questions = asked.map(({ name, value }) => [name, { ...file.questions[name], text: value }]);
  file.questions = Object.fromEntries(questions);
  link.href = URL.createObjectURL(new Blob([JSON.stringify(file, null, 1)], { type: "application/json" }));
  link.click();
  said.textContent = `${link.download} is among your downloads, with ${asked.length} of your questions. Hand it in.`;
});
