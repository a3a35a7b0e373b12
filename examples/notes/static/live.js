// The live page: what the websocket tells is shown, and why it was closed is said.
"use strict";

const list = document.getElementById("notes");
const state = document.getElementById("state");
const longestWait = 30_000;
let wait = 1_000;

function say(kind, text) {
  state.dataset.state = kind;
  state.textContent = text;
}

function drawn(note) {
  const item = document.getElementById("note").content.cloneNode(true).firstElementChild;
  item.id = `note-${note.id}`;
  const link = item.querySelector("a"), time = item.querySelector("time");
  link.textContent = note.title;
  link.href = note.url;
  item.querySelector(".text").textContent = note.text;
  item.querySelector(".text").hidden = !note.text;
  const changed = new Date(note.changed * 1000);
  time.dateTime = changed.toISOString();
  time.textContent = changed.toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "short" });
  return item;
}

function remove(id) {
  document.getElementById(`note-${id}`)?.remove();
}

function show(told) {
  if (told.notes) list.replaceChildren(...told.notes.map(drawn));
  if (told.gone) remove(told.gone);
  if (told.note) {
    remove(told.note.id);
    list.prepend(drawn(told.note));
  }
}

function end() {
  list.remove();
  document.getElementById("about").remove();
  // Nobody is logged in here now, so the header names nobody, and leads to no user's page.
  document.querySelector("header nav").remove();
  document.querySelector("header .who").replaceWith(
    document.getElementById("stranger").content.cloneNode(true),
  );
  say("ended", "Logged out");
  document.getElementById("ended").append(document.getElementById("why").content.cloneNode(true));
}

// A handshake that is refused looks like any failure. The page itself tells: a stranger is sent away.
async function isOver() {
  try {
    const page = await fetch(location.href, { method: "HEAD", redirect: "manual" });
    return page.type === "opaqueredirect";
  } catch {
    return false;
  }
}

function connect() {
  const socket = new WebSocket(new URL(list.dataset.socket, location.href.replace(/^http/, "ws")));
  socket.onopen = () => {
    wait = 1_000;
    say("open", "Connected");
  };
  socket.onmessage = (event) => show(JSON.parse(event.data));
  socket.onclose = async (event) => {
    // 1008: the login has ended.
    if (event.code === 1008 || (await isOver())) return end();
    say("wait", "The connection was lost. Trying again …");
    setTimeout(connect, wait);
    wait = Math.min(2 * wait, longestWait);
  };
}

connect();
