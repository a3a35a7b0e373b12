// Each half says itself who is logged in.
"use strict";

async function ask(half) {
  const said = half.querySelector(".who");
  try {
    const { name } = await (await fetch(half.dataset.whoami)).json();
    said.textContent = name === null ? "Nobody is logged in." : `You are ${name}.`;
    half.querySelector("[data-for=users]").hidden = name === null;
    half.querySelector("[data-for=strangers]").hidden = name !== null;
  } catch {
    said.textContent = "There is no answer.";
  }
}

function askAll() {
  document.querySelectorAll("[data-whoami]").forEach(ask);
}

addEventListener("pageshow", (event) => {
  if (event.persisted) location.reload(); // Kept by the browser; the login may be over.
});
askAll();
