// What the page does by itself: one player at a time, the zoom, the question before deleting, focus after a search.
(() => {
  "use strict";
  const page = {};
  let moveFocus = false;

  // One player at a time, over all tabs.
  document.addEventListener("play", (event) => {
    for (const player of document.querySelectorAll("audio, video")) {
      if (player !== event.target && !player.paused) player.pause();
    }
  }, true);

  // Tabs that are left fall silent.
  document.addEventListener("click", (event) => {
    if (!event.target.closest('[role="tab"]')) return;
    for (const player of document.querySelectorAll("audio, video")) player.pause();
  }, true);

  const dialog = (name) => {
    const known = document.getElementById(name);
    if (known) return known;
    const made = document.createElement("dialog");
    made.id = name;
    made.addEventListener("click", (event) => { if (event.target === made) made.close(); });
    document.querySelector(".gradio-container").append(made);  // outside of it, Gradio's style sheets end
    return made;
  };

  const button = (label, look, act) => {
    const made = document.createElement("button");
    made.type = "button";
    made.className = look;
    made.textContent = label;
    made.addEventListener("click", act);
    return made;
  };

  // A picture or a text, as large as the window allows. Esc, the button or a click beside it closes.
  page.zoom = (from) => {
    const box = dialog("unimma-zoom");
    const shown = document.createElement(from.dataset.zoom === "image" ? "img" : "p");
    if (from.dataset.zoom === "image") {
      shown.src = from.dataset.src;
      shown.alt = from.querySelector("img").alt;
    } else {
      shown.textContent = from.textContent;
    }
    box.setAttribute("aria-label", from.getAttribute("aria-label"));
    box.replaceChildren(shown, button("Close", "quiet", () => box.close()));
    box.showModal();
  };

  // Answers true or false; Esc means no.
  page.confirm = (question, yes) => new Promise((answer) => {
    const box = dialog("unimma-confirm");
    const asked = document.createElement("p");
    const row = document.createElement("div");
    let agreed = false;
    asked.textContent = question;
    row.append(
      button("Cancel", "quiet", () => box.close()),
      button(yes, "danger", () => { agreed = true; box.close(); }),
    );
    box.setAttribute("aria-label", question);
    box.replaceChildren(asked, row);
    box.addEventListener("close", () => answer(agreed), { once: true });
    box.showModal();
  });

  // The buttons of the cards: each names its act, the rest of its data goes to the server.
  page.listen = (element, trigger) => {
    element.addEventListener("click", async (event) => {
      const zoomed = event.target.closest("[data-zoom]");
      if (zoomed) return page.zoom(zoomed);
      const pressed = event.target.closest("[data-act]");
      if (!pressed || pressed.disabled) return;
      const { act, ...data } = pressed.dataset;
      if (act === "remove") {
        const ids = page.picked(element);
        const what = ids.length === 1 ? "this item" : `these ${ids.length} items`;
        if (!await page.confirm(`Delete ${what} from the library? This cannot be undone.`, "Delete")) return;
        data.ids = ids;
      }
      moveFocus = true;
      trigger(act, data);
    });
    element.addEventListener("change", (event) => {
      if (!event.target.matches("[data-pick]")) return;
      const count = page.picked(element).length;
      const remove = element.querySelector('[data-act="remove"]');
      remove.disabled = count === 0;
      remove.textContent = count ? `Delete selected (${count})` : "Delete selected";
    });
  };

  page.picked = (element) =>
    [...element.querySelectorAll("[data-pick]:checked")].map((box) => box.dataset.pick);

  // After new hits: say how many, and bring keyboard and eye to where they begin if a button of a card asked for them.
  page.arrived = (element) => {
    const strip = element.querySelector(".strip");
    if (!strip) return;
    const heading = strip.querySelector("h2");
    page.say(`${heading.textContent.trim()}. ${strip.querySelector(".found")?.textContent ?? ""}`);
    if (!moveFocus) return;
    moveFocus = false;
    heading.focus({ preventScroll: true });
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    const top = strip.getBoundingClientRect().top;
    if (top < 0 || top > innerHeight * 0.7) strip.scrollIntoView({ behavior: calm ? "auto" : "smooth", block: "start" });
  };

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

  // Gradio measures its tabs before the fonts are there, and hides some of them in a menu that are narrow enough later.
  document.fonts.ready.then(() => window.dispatchEvent(new Event("resize")));

  window.unimmaPage = page;
})();
