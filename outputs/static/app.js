// The pages work without this; it adds the copy buttons and answers without a reload.
"use strict";

function copied(button, done) {
  const before = button.textContent;
  button.textContent = done ? "Copied" : "Press Ctrl+C";
  setTimeout(() => { button.textContent = before; }, 1500);
}

function selectAll(element) {
  const range = document.createRange();
  range.selectNodeContents(element);
  const selection = window.getSelection();
  selection.removeAllRanges();
  selection.addRange(range);
}

async function copy(button) {
  const code = document.getElementById(button.dataset.copy);
  try {
    await navigator.clipboard.writeText(code.textContent);
    copied(button, true);
  } catch (error) {  // over plain HTTP browsers have no clipboard
    selectAll(code);
    copied(button, document.execCommand("copy"));
  }
}

async function send(form, button) {
  const answer = form.querySelector(".answer");
  answer.textContent = "…";
  try {
    const response = await fetch(button.dataset.api, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ by: form.elements.by.value, why: form.elements.why.value }),
    });
    if (response.ok) {
      answer.textContent = button.dataset.done;
      return;
    }
    const body = await response.json();
    answer.textContent = body.error.message;
  } catch (error) {
    answer.textContent = "ectoscope did not answer; try again.";
  }
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-copy]");
  if (button) copy(button);
});

document.addEventListener("submit", (event) => {
  const form = event.target.closest("form.actions");
  if (!form) return;
  event.preventDefault();
  send(form, event.submitter);
});

document.addEventListener("change", (event) => {
  const select = event.target.closest(".filters select");
  if (select) select.form.requestSubmit();
});

// An empty field would stand in the URL as "kind=".
document.addEventListener("formdata", (event) => {
  if (!event.target.matches(".filters")) return;
  for (const [name, value] of Array.from(event.formData)) {
    if (value === "") event.formData.delete(name);
  }
});

document.addEventListener("keydown", (event) => {
  const search = document.querySelector(".filters input[type=search]");
  const typing = event.target.matches("input, select, textarea");
  if (event.key === "/" && search && !typing) {
    event.preventDefault();
    search.focus();
  }
});
