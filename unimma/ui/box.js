// The box for anything: typing, pasting, dropping anywhere on the page, the microphone and the camera.
(() => {
  "use strict";
  const page = window.unimmaPage;
  const MAX_RECORDING_S = 60;
  const OWN_BOXES = "#query-image, #query-audio, #query-video, #add-files";  // Gradio's own: they take what is dropped there
  let send = null;  // Gradio's upload
  let isOurs = false;  // what is dragged comes from this page itself

  // Other tabs may take what is dropped or pasted while they are open: `page.drops.library = { words, take(files) }`.
  page.drops = {};

  page.everything = (element, upload) => {
    const [form, area, chooser] = ["form", "textarea", "[type=file]"].map((part) => element.querySelector(part));
    send = upload;
    const fit = () => { area.style.height = "auto"; area.style.height = `${Math.min(area.scrollHeight, 160)}px`; };
    area.addEventListener("input", fit);
    area.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
        event.preventDefault();
        form.requestSubmit();
      }
    });
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (!matchMedia("(hover: hover)").matches) area.blur();  // so that the keyboard of a phone makes room for the hits
      page.seek("search", { act: "ask", text: area.value });
    });
    chooser.addEventListener("change", () => {
      page.searchWith([...chooser.files]);
      chooser.value = "";  // so that the same file can be chosen again
    });
    form.addEventListener("click", (event) => {
      const tool = event.target.closest("[data-tool]")?.dataset.tool;
      if (tool === "file") chooser.click();
      else if (tool) record(tool);
    });
    if (matchMedia("(hover: hover)").matches) area.focus({ preventScroll: true });  // no keyboard pops up on a phone
    const note = element.querySelector(".note");
    const usual = note.textContent;
    let before = "";
    page.asked = (words) => {  // the box shows the sentence that was asked, and keeps one that is still being written
      if (area.value === before || area !== document.activeElement && words) area.value = words;
      before = words;
      fit();
      page.note("");
    };
    page.note = (words) => {
      note.textContent = words || usual;
      note.classList.toggle("told", Boolean(words));
      if (words) page.say(words);
    };
  };

  page.searchWith = async (files) => {
    if (!files.length) return;
    page.open("search");
    const more = files.length > 1 ? ` One at a time: the first of ${files.length} files is taken.` : "";
    page.note(`Sending ${files[0].name}…${more}`);
    page.hasAsked = true;
    try {
      const { path } = await send(files[0]);
      page.note(`Searching with ${files[0].name}.${more}`);
      page.seek("search", { act: "file", path });
    } catch (error) {
      page.note(`${files[0].name} could not be sent: ${error.message ?? error}`);
    }
  };

  // Dropping, anywhere.
  const overlay = () => {
    let made = document.getElementById("unimma-drop");
    if (!made) {
      made = document.createElement("div");
      made.id = "unimma-drop";
      made.append(document.createElement("p"));
      document.querySelector(".gradio-container").append(made);
    }
    return made;
  };
  const show = (isOver) => {
    overlay().firstChild.textContent = page.drops[page.tab()]?.words ?? "Drop anything to search with it";
    overlay().classList.toggle("shown", isOver);
  };
  const concerns = (event) => !isOurs && !event.target.closest?.(OWN_BOXES)
    && [...event.dataTransfer.types].some((type) => type === "Files" || type === "text/plain");

  document.addEventListener("dragstart", () => { isOurs = true; });
  document.addEventListener("dragend", () => { isOurs = false; });
  document.addEventListener("dragover", (event) => {
    if (isOurs) return;
    show(true);
    if (concerns(event)) event.preventDefault();
  });
  document.addEventListener("dragleave", (event) => { if (!event.relatedTarget) show(false); });
  document.addEventListener("drop", (event) => {
    show(false);
    if (!concerns(event)) return;
    const files = [...event.dataTransfer.files];
    const words = event.dataTransfer.getData("text/plain").trim();
    if (!files.length && (!words || event.target.closest("input, textarea"))) return;
    event.preventDefault();
    if (files.length) take(files);
    else page.ask({ act: "ask", text: words });
  });

  const take = (files) => {
    const other = page.drops[page.tab()];
    if (other) other.take(files);
    else page.searchWith(files);
  };

  document.addEventListener("paste", (event) => {
    if (event.target.closest?.(OWN_BOXES)) return;
    const files = [...event.clipboardData.files];
    if (files.length) {
      event.preventDefault();
      return take(files);
    }
    if (event.target.closest?.("input, textarea, [contenteditable='true']")) return;
    const area = document.querySelector("#query-search textarea");
    const words = event.clipboardData.getData("text/plain").trim();
    if (!area || !words) return;
    page.open("search");
    area.value = words.slice(0, area.maxLength);
    area.dispatchEvent(new Event("input", { bubbles: true }));
    setTimeout(() => area.focus());
  });

  // The microphone and the camera: what they give is a file like any other.
  const record = async (tool) => {
    const box = page.dialog("unimma-record");
    const isFilm = tool === "camera";
    const told = document.createElement("p");
    const row = document.createElement("div");
    told.setAttribute("role", "status");
    told.textContent = isFilm ? "Asking for the camera…" : "Asking for the microphone…";
    box.setAttribute("aria-label", isFilm ? "Take a photo or film a clip" : "Record a sound");
    box.replaceChildren(told, row);
    row.append(page.button("Cancel", "quiet", () => box.close()));
    box.showModal();
    let stream = null;
    try {
      stream = await listenAndLook(isFilm);
    } catch (error) {
      const missing = error.name === "NotFoundError" ? "There is none here." : "The browser does not allow it.";
      told.textContent = `No ${tool}: ${missing}`;
      return;
    }
    const stop = () => { for (const track of stream.getTracks()) track.stop(); };
    if (!box.open) return stop();
    box.addEventListener("close", stop, { once: true });
    if (isFilm) film(box, told, row, stream);
    else sound(box, told, row, stream);
  };

  const listenAndLook = async (isFilm) => {
    if (!navigator.mediaDevices) throw new Error("not on a page without https");
    if (!isFilm) return navigator.mediaDevices.getUserMedia({ audio: true });
    const video = { facingMode: "environment", width: { ideal: 1280 } };
    return navigator.mediaDevices.getUserMedia({ video, audio: true })
      .catch(() => navigator.mediaDevices.getUserMedia({ video }));
  };

  const sound = (box, told, row, stream) => {
    const finish = recorder(box, told, stream, "recording");
    row.append(page.button("Stop and search", "go", finish));
    row.lastChild.focus();
  };

  const film = (box, told, row, stream) => {
    const screen = document.createElement("video");
    Object.assign(screen, { srcObject: stream, muted: true, playsInline: true, autoplay: true });
    screen.setAttribute("aria-label", "What the camera sees");
    box.prepend(screen);
    told.textContent = "";
    const filming = page.button("Film", "quiet", () => {
      filming.replaceWith(page.button("Stop and search", "go", recorder(box, told, stream, "clip")));
      photo.remove();
    });
    const photo = page.button("Take a photo", "go", () => {
      const canvas = document.createElement("canvas");
      [canvas.width, canvas.height] = [screen.videoWidth, screen.videoHeight];
      canvas.getContext("2d").drawImage(screen, 0, 0);
      canvas.toBlob((blob) => {
        box.close();
        page.searchWith([new File([blob], "photo.jpg", { type: "image/jpeg" })]);
      }, "image/jpeg", 0.92);
    });
    row.append(filming, photo);
    photo.focus();
  };

  // Starts to record; returns what ends it and searches. Closing the dialog discards.
  const recorder = (box, told, stream, name) => {
    const parts = [];
    const machine = new MediaRecorder(stream);
    const began = performance.now();
    let isWanted = false;
    const finish = () => { isWanted = true; if (machine.state !== "inactive") machine.stop(); };
    const tell = () => {
      const seconds = Math.floor((performance.now() - began) / 1000);
      told.textContent = `Recording: ${seconds} s`;
      if (seconds >= MAX_RECORDING_S) finish();
    };
    const clock = setInterval(tell, 250);
    tell();
    machine.addEventListener("dataavailable", ({ data }) => { if (data.size) parts.push(data); });
    machine.addEventListener("stop", () => {
      clearInterval(clock);
      const type = machine.mimeType.split(";")[0];
      const ending = type.includes("mp4") ? (name === "clip" ? "mp4" : "m4a") : type.includes("ogg") ? "ogg" : "webm";
      box.close();
      if (isWanted) page.searchWith([new File(parts, `${name}.${ending}`, { type })]);
    });
    box.addEventListener("close", () => { if (machine.state !== "inactive") machine.stop(); }, { once: true });
    machine.start(500);
    return finish;
  };
})();
