// What all parts of the page share: one player at a time, the zoom, questions, and words for screen readers.
(() => {
  "use strict";
  const page = {};

  // One player at a time, over all tabs.
  document.addEventListener("play", (event) => {
    for (const player of document.querySelectorAll("audio, video")) {
      if (player !== event.target && !player.paused && !player.srcObject) player.pause();
    }
  }, true);

  // What lasts as long as the tab; nothing does where a browser forbids it, as some do to a page in a frame.
  page.recall = (name) => { try { return sessionStorage.getItem(name) ?? ""; } catch { return ""; } };
  page.keep = (name, value) => { try { sessionStorage.setItem(name, value); } catch { /* then a reload is a new visit */ } };

  // Tabs that are left fall silent.
  document.addEventListener("click", (event) => {
    if (!event.target.closest('[role="tab"]')) return;
    for (const player of document.querySelectorAll("audio, video")) player.pause();
  }, true);

  page.isCalm = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

  page.dialog = (name) => {
    const known = document.getElementById(name);
    if (known) return known;
    const made = document.createElement("dialog");
    made.id = name;
    made.addEventListener("click", (event) => { if (event.target === made) made.close(); });
    document.querySelector(".gradio-container").append(made);  // outside of it, Gradio's style sheets end
    return made;
  };

  page.button = (label, look, act) => {
    const made = document.createElement("button");
    made.type = "button";
    made.className = look;
    made.textContent = label;
    made.addEventListener("click", act);
    return made;
  };

  // A picture or a text, as large as the window allows. Esc, the button or a click beside it closes.
  page.zoom = (from) => {
    const box = page.dialog("unimma-zoom");
    const shown = document.createElement(from.dataset.zoom === "image" ? "img" : "p");
    if (from.dataset.zoom === "image") {
      shown.src = from.dataset.src;
      shown.alt = from.querySelector("img").alt;
    } else {
      shown.textContent = from.textContent;
      shown.tabIndex = 0;  // long texts scroll, by the keyboard too
    }
    box.setAttribute("aria-label", from.getAttribute("aria-label"));
    box.replaceChildren(shown, page.button("Close", "quiet", () => box.close()));
    box.showModal();
  };

  // Answers true or false; Esc means no.
  page.confirm = (question, yes) => new Promise((answer) => {
    const box = page.dialog("unimma-confirm");
    const asked = document.createElement("p");
    const row = document.createElement("div");
    let agreed = false;
    asked.textContent = question;
    row.append(
      page.button("Cancel", "quiet", () => box.close()),
      page.button(yes, "danger", () => { agreed = true; box.close(); }),
    );
    box.setAttribute("aria-label", question);
    box.replaceChildren(asked, row);
    box.addEventListener("close", () => answer(agreed), { once: true });
    box.showModal();
  });

  page.say = (words) => {
    let line = document.getElementById("unimma-live");
    if (!line) {
      line = document.createElement("div");
      line.id = "unimma-live";
      line.className = "unseen";
      line.setAttribute("aria-live", "polite");
      document.querySelector(".gradio-container").append(line);
    }
    line.textContent = words;
  };

  // Which tab is open, by its name; and opening one.
  page.tab = () => document.querySelector('#tabs [role="tab"][aria-selected="true"]')?.id.slice(4, -7) ?? "search";
  page.open = (name) => {
    if (page.tab() !== name) [...document.querySelectorAll(`#tab-${name}-button`)].at(-1)?.click();
  };

  // Gradio measures its tabs before the fonts are there, and hides some of them in a menu that are narrow enough later.
  document.fonts.ready.then(() => window.dispatchEvent(new Event("resize")));

  window.unimmaPage = page;
})();
