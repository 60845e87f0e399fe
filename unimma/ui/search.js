// Searching: the buttons of the cards, the filters, the way back and forth, the page's address, and what hits bring.
(() => {
  "use strict";
  const page = window.unimmaPage;
  const KEPT = "unimma-shape";  // in the browser: one list or columns, and how many hits
  const KINDS = ["text", "image", "audio", "video"];
  const life = Math.random().toString(36).slice(2);  // of this page: what is older in the browser's history is foreign
  const triggers = {};  // by the name of the tab
  const filters = {};
  const lines = {};
  let moveFocus = false;
  let isMoving = false;  // by the browser's history
  let last = "search";  // the tab that searched last
  let facet = "";  // that was just chosen from
  let isRestoring = false;
  let recent = null;  // the list of what was asked, as it came with the last answer

  const nameOf = (element) => element.closest('[id^="tab-"]').id.slice(4);
  const filtersOf = (name) => filters[name] ??= { kinds: [...KINDS], chosen: {} };

  const shape = () => {
    try {
      const { view, count } = JSON.parse(localStorage.getItem(KEPT)) ?? {};
      return { view: view ?? "list", count: count ?? 12 };
    } catch {
      return { view: "list", count: 12 };  // a browser that keeps nothing
    }
  };
  const keepShape = (told) => {
    try { localStorage.setItem(KEPT, JSON.stringify({ ...shape(), ...told })); } catch { /* as above */ }
  };

  // What is sent with each query; Gradio's own boxes take it as a line of text.
  const choices = (name) => ({ ...filtersOf(name), ...shape() });
  page.choices = (name) => { page.hasAsked = true; last = name; return JSON.stringify(choices(name)); };

  // One at a time in each tab, the last one wins: Gradio would either forget what a later one was told, or let an earlier
  // answer come last.
  page.seek = (name, told) => {
    page.hasAsked ||= told.act !== "again";
    last = name;
    const line = lines[name] ??= { isBusy: false, wasPending: false, next: null };
    if (line.isBusy) {
      if (told.act !== "again" || !line.next) line.next = told;  // filters are read when it is sent, anyway
      return;
    }
    const isUnfolded = told.act === "again" && Boolean(document.querySelector(`#results-${name} .weaker[open]`));
    Object.assign(line, { isBusy: true, wasPending: false, isUnfolded });
    triggers[name]("seek", { ...told, choices: choices(name) });
    setTimeout(() => { line.wasPending = true; settle(name); }, 500);
  };

  // Gradio marks what waits for an answer; when it does not any more, the next one may go.
  const settle = (name) => {
    const line = lines[name];
    const isPending = Boolean(document.querySelector(`#results-${name} > .pending`));
    if (!line?.isBusy) return;
    line.wasPending ||= isPending;
    if (isPending || !line.wasPending) return;
    line.isBusy = false;
    const next = line.next;
    line.next = null;
    if (next) page.seek(name, next);
  };

  // Search with a sentence or an item from anywhere on the page.
  page.ask = (told) => { page.open("search"); moveFocus = true; page.seek("search", told); };

  const acts = {
    similar: (name, { id }) => { moveFocus = true; page.seek(name, { act: "similar", id }); },
    ask: (name, { text }) => {
      moveFocus = true;
      page.seek(name, { act: "ask", text });
    },
    go: (name, { number }) => history.go(number - history.state.number),
    back: () => history.back(),
    forward: () => history.forward(),
    narrow: (name, { facet: which, value }) => {
      filtersOf(name).chosen[facet = which] = value;
      page.seek(name, { act: "again" });
    },
    widen: (name, { facet: which }) => {
      delete filtersOf(name).chosen[facet = which];
      page.seek(name, { act: "again" });
    },
  };

  // The buttons of a place: each names its act, the rest of its data goes with it. Only that of the hits has a trigger.
  page.listen = (element, trigger) => {
    const name = nameOf(element);
    if (trigger) triggers[name] = trigger;
    element.addEventListener("click", (event) => {
      const zoomed = event.target.closest("[data-zoom]");
      if (zoomed) return page.zoom(zoomed);
      const pressed = event.target.closest("[data-act]");
      if (!pressed || pressed.disabled) return;
      const { act, ...told } = pressed.dataset;
      pressed.closest("details.facet")?.removeAttribute("open");
      if (act in acts) return acts[act](name, told);
      moveFocus = true;
      triggers[name](act, { ...told, choices: choices(name) });
    });
    if (trigger) watchTurn(element.closest('[id^="results-"]'), name);
  };

  // The filters: what was ticked is kept here, so that an answer on its way changes nothing that was ticked meanwhile.
  page.bar = (element) => {
    const name = nameOf(element);
    const shown = { ...filtersOf(name), ...shape() };
    for (const box of element.querySelectorAll('[type="checkbox"]')) box.checked = shown.kinds.includes(box.name);
    for (const dot of element.querySelectorAll('[type="radio"]')) dot.checked = dot.value === shown.view;
    const count = element.querySelector('[type="number"]');
    if (count && count !== document.activeElement) count.value = shown.count;
    if (facet && !element.contains(document.activeElement)) {
      element.querySelector(`[data-act="widen"][data-facet="${facet}"], [data-facet="${facet}"] summary`)?.focus();
    }
    facet = "";
    if (element.dataset.heard) return;
    element.dataset.heard = "yes";
    element.addEventListener("change", ({ target }) => {
      if (target.type === "checkbox") {
        filtersOf(name).kinds = [...element.querySelectorAll('[type="checkbox"]:checked')].map((box) => box.name);
      } else if (target.type === "radio") {
        keepShape({ view: target.value });
      } else {
        const asked = Math.round(Number(target.value));
        keepShape({ count: Math.min(Math.max(asked || 12, target.min), target.max) });
        target.value = shape().count;
      }
      page.seek(name, { act: "again" });
    });
  };

  // The tabs share how hits are shown, and the list of what was asked.
  document.addEventListener("click", (event) => {
    if (!event.target.closest('[role="tab"]')) return;
    setTimeout(() => {
      const bar = document.querySelector(`#filters-${page.tab()} .bar`);
      if (!bar) return;
      page.bar(bar.parentElement);
      if (recent) shareRecent(document.querySelector(`#results-${page.tab()} .answer`));
    });
  });

  const shareRecent = (answer) => {
    let strip = answer.querySelector(".strip");
    if (!strip) {
      strip = document.createElement("div");
      strip.className = "strip";
      answer.prepend(strip);
    }
    const copy = recent.cloneNode(true);
    copy.removeAttribute("open");
    const old = strip.querySelector(".recent");
    if (old) old.replaceWith(copy); else strip.append(copy);
  };

  // After new hits: their place in the browser's history; say how many; bring the eye to where they begin, and the
  // keyboard too if a button asked for them.
  page.arrived = (element) => {
    const strip = element.querySelector(".strip[data-number]");
    if (!strip) return;
    const isNew = remember(Number(strip.dataset.number), strip.dataset.words);
    recent = strip.querySelector(".recent") ?? recent;
    page.asked?.(strip.dataset.words);
    const weaker = element.querySelector(".weaker");
    if (weaker && lines[nameOf(element)]?.isUnfolded) weaker.open = true;
    const heading = strip.querySelector("h2");
    page.say(`${heading.textContent.trim()}. ${strip.querySelector(".found").textContent}`);
    if (moveFocus) heading.focus({ preventScroll: true });
    const top = strip.getBoundingClientRect().top;
    if ((moveFocus || isNew) && (top < 0 || top > innerHeight * 0.7)) {
      strip.scrollIntoView({ behavior: page.isCalm() ? "auto" : "smooth", block: "start" });
    }
    moveFocus = false;
  };

  const remember = (number, words) => {
    const address = new URL(location.href);
    if (words) address.searchParams.set("q", words); else address.searchParams.delete("q");
    const known = history.state?.life === life ? history.state.number : null;
    const isNew = known !== null && number > known && !isMoving;
    isMoving = false;
    history[isNew ? "pushState" : "replaceState"]({ life, number }, "", address);
    return isNew || known === null;
  };

  window.addEventListener("popstate", (event) => {
    const name = page.tab() in triggers ? page.tab() : last;
    const words = new URL(location.href).searchParams.get("q");
    page.open(name);
    moveFocus = true;
    isMoving = true;
    if (event.state?.life === life) page.seek(name, { act: "go", number: event.state.number });
    else if (words) page.seek(name, { act: "ask", text: words });
  });

  // Called when the visit has begun: an address with a question is answered at once.
  page.begin = () => {
    const words = new URL(location.href).searchParams.get("q");
    if (words) acts.ask("search", { text: words });
  };

  // A deletion was taken back: the hits are asked for again. The bar that says so is shared with the library.
  document.addEventListener("click", (event) => {
    isRestoring ||= Boolean(event.target.closest('#notice [data-act="restore"]'));
  }, true);
  page.restored = () => {
    if (isRestoring && page.hasAsked) page.seek(last, { act: "again" });
    isRestoring = false;
  };

  // The place in the line, in words, from what Gradio writes for sighted people in a corner: "queue: 3/5".
  const watchTurn = (results, name) => {
    new MutationObserver(() => {
      settle(name);
      const told = results.querySelector('[data-testid="status-tracker"] .progress-text')?.textContent ?? "";
      const place = told.match(/queue: (\d+)\//);
      const before = place ? Number(place[1]) - 1 : -1;
      const words = before < 0 ? "" : before === 0 ? "You are next." : before === 1 ? "1 person is before you."
        : `${before} people are before you.`;
      const line = results.querySelector(".turn");
      if (!line || line.textContent === words) return;
      line.textContent = words;
      if (words) page.say(words);
    }).observe(results, { subtree: true, childList: true, characterData: true, attributeFilter: ["class"] });
  };

  // By keyboard: "/" goes to the box, Esc closes what is open, Alt with an arrow goes back and forth.
  document.addEventListener("keydown", (event) => {
    const isTyping = event.target.closest("input, textarea, select, [contenteditable='true'], dialog");
    if (event.key === "/" && !isTyping && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      if (page.tab() !== "text") page.open("search");
      setTimeout(() => document.querySelector(`#query-${page.tab()} textarea`)?.focus());
    } else if (event.key === "Escape") {
      for (const open of document.querySelectorAll("details:is(.facet, .alike)[open]")) {
        if (open.contains(event.target)) open.querySelector("summary").focus();
        open.removeAttribute("open");
      }
    } else if (event.altKey && !isTyping && history.state?.life === life && /^Arrow(Left|Right)$/.test(event.key)) {
      event.preventDefault();
      history.go(event.key === "ArrowLeft" ? -1 : 1);
    }
  });
  document.addEventListener("click", (event) => {
    for (const open of document.querySelectorAll("details.facet[open]")) {
      if (!open.contains(event.target)) open.removeAttribute("open");
    }
  });
})();
