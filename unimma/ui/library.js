// The library tab, the line that says where files go, and the bar that takes a deletion back. Comes after page.js.
(() => {
  "use strict";
  const library = {};
  const TYPING_ENDS_MS = 400;
  const SAID = "unimma-said";
  let byKeyboard = false;  // whether the last button was pressed without a pointer

  document.addEventListener("click", (event) => { byKeyboard = event.detail === 0; }, true);

  const make = (tag, properties = {}, ...children) => {
    const { dataset = {}, ...rest } = properties;
    const made = Object.assign(document.createElement(tag), rest);
    Object.assign(made.dataset, dataset);
    made.append(...children.filter((child) => child !== null));
    return made;
  };

  // The line of trust

  library.status = (element, trigger) => {
    element.addEventListener("click", async (event) => {
      const pressed = event.target.closest("[data-act]");
      if (!pressed) return;
      const { act, question } = pressed.dataset;
      if (act === "forget" && !await window.unimmaPage.confirm(question, "Delete everything")) return;
      trigger(act, {});
    });
  };

  // After everything was deleted: the page as it was in the beginning, with one sentence that says so.
  library.beginAnew = ({ said }) => {
    window.unimmaPage.keep(SAID, said);
    const address = new URL(location.href);
    address.searchParams.delete("q");
    address.hash = "";
    location.replace(address);
  };

  // The bar at the foot. It waits while it is pointed at or has the focus.

  library.notice = (element, trigger, watch) => {
    let timer = 0;
    const bar = () => element.querySelector(".notice");
    const end = () => {
      const ids = element.querySelector("[data-ids]")?.dataset.ids;
      bar().hidden = true;
      if (ids) trigger("settle", { ids });
    };
    const hold = () => clearTimeout(timer);
    const wait = () => {
      hold();
      if (bar() && !bar().hidden) timer = setTimeout(end, Number(bar().dataset.staysS) * 1000);
    };
    element.addEventListener("pointerenter", hold);
    element.addEventListener("pointerleave", wait);
    element.addEventListener("focusin", hold);
    element.addEventListener("focusout", wait);
    element.addEventListener("click", (event) => {
      const pressed = event.target.closest("[data-act]");
      if (!pressed) return;
      hold();
      bar().hidden = true;
      trigger(pressed.dataset.act, { ids: pressed.dataset.ids });
    });
    watch("value", () => {
      if (!bar()) return;
      wait();
      if (byKeyboard) element.querySelector("button")?.focus();
    });
    const said = window.unimmaPage.recall(SAID);
    window.unimmaPage.keep(SAID, "");
    if (!said) return;
    element.replaceChildren(make("div", { className: "notice", role: "status", dataset: { staysS: "8" } }, make("span", { textContent: said })));
    wait();
  };

  // What is being added

  // Files that are dropped or pasted anywhere while the tab is open go into its box, as if they had been dropped there.
  const take = (files) => {
    const box = document.querySelector("#add-files input[type=file]");
    if (!box) return window.unimmaPage.say("Files wait already. Drop these when those are in.");
    const dropped = new DataTransfer();
    for (const file of files) dropped.items.add(file);
    box.files = dropped.files;
    box.dispatchEvent(new Event("change", { bubbles: true }));
  };

  library.job = (element, trigger, watch) => {
    window.unimmaPage.drops.library = { words: "Drop to add to the library", take };
    element.addEventListener("click", (event) => {
      const pressed = event.target.closest("[data-act]");
      if (!pressed) return;
      if (pressed.dataset.act === "close") document.getElementById("add")?.focus();
      trigger(pressed.dataset.act, {});
    });
    let wasThere = false;
    const look = () => {
      const card = element.querySelector(".job");
      if (card && !wasThere) card.scrollIntoView({ block: "nearest" });
      wasThere = Boolean(card);
      if (card?.dataset.state !== "over") return;
      window.unimmaPage.say(element.querySelector("h2").textContent);
      trigger("over", {});
    };
    watch("value", look);
    look();  // it may have ended before this tab was opened
  };

  // A list to keep, as a file.
  library.save = (list) => {
    if (!list) return;
    const address = URL.createObjectURL(new Blob([list.text], { type: `${list.type};charset=utf-8` }));
    make("a", { href: address, download: list.name }).click();
    setTimeout(() => URL.revokeObjectURL(address), 60_000);
  };

  // The shelf

  library.shelf = (element, trigger, watch) => {
    let typing = 0;
    let picked = new Set();
    let menu = "";  // the facet whose values are shown
    const boxes = () => [...element.querySelectorAll("[data-pick]")];
    const count = () => {
      const all = element.querySelector("[data-all]");
      const remove = element.querySelector('[data-act="remove"]');
      picked = new Set(boxes().filter((box) => box.checked).map((box) => box.dataset.pick));
      if (!remove) return;
      remove.disabled = picked.size === 0;
      remove.textContent = picked.size ? `Delete selected (${picked.size})` : "Delete selected";
      all.checked = picked.size === boxes().length;
      all.indeterminate = picked.size > 0 && !all.checked;
    };
    const browse = (set, value = "") => trigger("browse", { set, value });

    element.addEventListener("click", (event) => {
      const opened = event.target.closest("[data-open]");
      if (opened) return library.open(JSON.parse(opened.closest("[data-item]").dataset.item), trigger);
      const pressed = event.target.closest("[data-act]");
      if (!pressed || pressed.disabled) return;
      const { act, set, value, facet, form } = pressed.dataset;
      menu = "";
      if (set === "all") element.querySelector("[data-words]").value = "";
      if (act === "browse") browse(set, value);
      else if (act === "remove") trigger(act, { ids: [...picked] });
      else trigger(act, { facet, value, form });
    });
    element.addEventListener("change", ({ target }) => {
      if (target.matches("[data-order]")) return browse("order", target.value);
      if (target.matches("[data-all]")) for (const box of boxes()) box.checked = target.checked;
      if (target.matches("[data-all], [data-pick]")) count();
    });
    element.addEventListener("toggle", ({ target }) => {
      if (target.open) menu = target.dataset.facet;
      else if (target.dataset.facet === menu) menu = "";
    }, true);
    element.addEventListener("input", ({ target }) => {
      if (!target.matches("[data-words]")) return;
      clearTimeout(typing);
      typing = setTimeout(() => browse("words", target.value), TYPING_ENDS_MS);
    });
    // New content is written over the old, element by element: what people ticked, opened and chose is set anew.
    watch("value", () => {
      for (const box of boxes()) box.checked = picked.has(box.dataset.pick);
      if (menu) element.querySelector(`details[data-facet="${menu}"]`)?.setAttribute("open", "");
      const order = element.querySelector("[data-order]");
      if (order) order.value = order.querySelector("[selected]").value;
      count();
    });
  };

  // One item, large, with what is known of it; its title and caption to edit where they are the visitor's to change.

  const media = (item) => {
    const player = { className: "item-media", controls: true, preload: "metadata", src: item.uri, ariaLabel: item.title };
    const thumb = `${item.uri}/thumb`;
    switch (item.kind) {
      case "image": return make("img", { className: "item-media", src: item.uri, alt: item.title });
      case "audio": return make("div", { className: "item-sound" }, make("img", { src: thumb, alt: "" }), make("audio", player));
      case "video": return make("video", { ...player, playsInline: true, poster: thumb });
      default: return make("p", { className: "item-media", textContent: item.text, tabIndex: 0 });
    }
  };

  const known = (item) => {
    const added = item.added && new Date(item.added).toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "short" });
    const facts = [item.name, item.facts, added && `added ${added}`, item.source, item.label];
    return make("p", { className: "item-facts", textContent: facts.filter(Boolean).join(" · ") });
  };

  const field = (label, input) => make("label", { className: "field" }, make("span", { textContent: label }), input);

  const editor = (box, item, trigger) => {
    const title = make("input", { name: "title", value: item.title, autocomplete: "off" });
    const caption = make("textarea", { name: "caption", value: item.caption, rows: 3 });
    const form = make("form", { className: "item-form", noValidate: true },
      field("Title", title), field("Caption", caption), make("p", { className: "error", role: "alert" }),
      make("div", { className: "item-buttons" },
        make("a", { className: "quiet", href: `${item.uri}/download`, download: "", textContent: "Download" }),
        make("button", { type: "button", className: "danger", dataset: { drop: "" }, textContent: "Delete" }),
        make("button", { type: "button", className: "quiet", dataset: { close: "" }, textContent: "Close" }),
        make("button", { type: "submit", className: "primary", textContent: "Save" })));
    box.isChanged = () => title.value !== item.title || caption.value !== item.caption;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      trigger("edit", { id: item.id, title: title.value, caption: caption.value });
    });
    form.querySelector("[data-drop]").addEventListener("click", () => {
      box.close();
      trigger("remove", { ids: [item.id] });
    });
    return form;
  };

  const reader = (box, item) => {
    box.isChanged = () => false;
    return make("div", { className: "item-form" }, make("h2", { textContent: item.title }),
      item.caption ? make("p", { textContent: item.caption }) : null,
      make("p", { className: "item-facts", textContent: "This one belongs to the host: it can be looked at, not changed." }),
      make("div", { className: "item-buttons" },
        make("a", { className: "quiet", href: `${item.uri}/download`, download: "", textContent: "Download" }),
        make("button", { type: "button", className: "quiet", dataset: { close: "" }, textContent: "Close" })));
  };

  const itemBox = () => {
    const there = document.getElementById("unimma-item");
    if (there) return there;
    const box = make("dialog", { id: "unimma-item" });
    box.addEventListener("click", (event) => {
      const beside = event.target === box && !box.isChanged();
      if (beside || event.target.closest("[data-close]")) box.close();
    });
    box.addEventListener("close", () => box.replaceChildren());  // silences what plays
    document.querySelector(".gradio-container").append(box);
    return box;
  };

  library.open = (item, trigger) => {
    const box = itemBox();
    box.ariaLabel = `${item.name}: ${item.title}`;
    box.replaceChildren(media(item), known(item), item.canChange ? editor(box, item, trigger) : reader(box, item));
    box.showModal();
    box.querySelector("[name=title], [data-close]").focus();
  };

  library.edited = ({ error }) => {
    const box = itemBox();
    if (!error) {
      box.close();
      return window.unimmaPage.say("Saved.");
    }
    box.querySelector(".error").textContent = error;
    box.querySelector("[name=title]").focus();
  };

  window.unimmaLibrary = library;
})();
