// SPDX-License-Identifier: GPL-2.0
// What a reader can do with a timeline: zoom, go from event to event and from message to message, search, and see the
// line of the trace.

const ROW = 24;

class TimelineView {
  constructor(element, run, texts) {
    this.element = element;
    this.run = run;
    this.texts = texts;
    this.canvas = element.querySelector("canvas");
    this.list = element.querySelector(".list");
    this.space = element.querySelector(".space");
    this.chosenBox = element.querySelector(".chosen");
    this.drawing = new Drawing(this.canvas, run, texts);
    this.found = null;
    this.makeTools();
    this.makeLegend();
    this.listen();
    this.fillList();
    this.describe();
    // What a reader comes for: the message that was never answered, else the first that somebody received.
    const received = run.messages.findIndex(m => m.receptions.length), open = run.messages.findIndex(m => m.granted < 0);
    if (run.messages.length) this.showMessage(open >= 0 ? open : Math.max(0, received), false);
    this.redraw();
  }

  // MARK: tools

  makeTools() {
    const tools = this.element.querySelector(".tools");
    const add = (text, name, act) => {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = text;
      button.setAttribute("aria-label", name);
      button.title = name;
      button.addEventListener("click", act);
      tools.append(button);
      return button;
    };
    add("+", "Zoom in", () => this.zoom(0.5));
    add("−", "Zoom out", () => this.zoom(2));
    add("◀", "Earlier", () => this.move(-0.5));
    add("▶", "Later", () => this.move(0.5));
    add("all", "Show the whole run", () => this.show(0, this.run.end));
    if (this.run.messages.length) {
      this.choice = document.createElement("select");
      this.choice.setAttribute("aria-label", "Show a message");
      this.choice.append(new Option("show a message …", ""));
      this.run.messages.forEach((m, i) => {
        const paths = [...new Set(m.paths.map(p => this.texts[p]).filter(Boolean))].join(", ");
        const state = m.granted < 0 ? "never acknowledged" : paths || "acknowledged";
        const sender = this.run.lanes[m.lane];
        this.choice.append(new Option(`${i + 1}: ${this.texts[m.type]} of ${sender.node} ${sender.name}: ${state}`, i));
      });
      this.choice.addEventListener("change", () => {
        if (this.choice.value !== "") this.showMessage(Number(this.choice.value), true);
      });
      tools.append(this.choice);
    }
    if (this.run.lanes.some(lane => this.drawing.isWorker(lane))) {
      const button = add("workers", "Kernel workers are shown", () => {
        this.drawing.hidesWorkers = !this.drawing.hidesWorkers;
        button.setAttribute("aria-pressed", String(!this.drawing.hidesWorkers));
        this.drawing.layout();
        this.redraw();
      });
      button.setAttribute("aria-pressed", "true");
    }
    const search = document.createElement("input");
    search.type = "search";
    search.placeholder = "find events";
    search.setAttribute("aria-label", "Find events by thread, function or lock");
    search.addEventListener("input", () => this.find(search.value.trim().toLowerCase()));
    tools.append(search);
  }

  makeLegend() {
    const legend = this.element.querySelector(".legend");
    const parts = [["ex", "EX held"], ["cw", "CW"], ["pr", "PR"], ["cr", "CR"], ["nl", "NL"], ["call", "a call"],
      ["told", "message told"], ["answer", "acknowledged"]];
    for (const [colour, name] of parts) {
      const item = document.createElement("span"), patch = document.createElement("i");
      patch.style.background = `var(--${colour})`;
      item.append(patch, name);
      legend.append(item);
    }
    const dashed = document.createElement("span"), patch = document.createElement("i");
    patch.style.borderStyle = "dashed";
    dashed.append(patch, "a request that waits");
    legend.append(dashed);
  }

  // MARK: the window

  redraw() {
    if (this.waiting) return;
    this.waiting = true;
    requestAnimationFrame(() => {
      this.waiting = false;
      this.drawing.draw();
    });
  }

  show(from, to) {
    const least = 1000, end = Math.max(least, this.run.end);
    let length = Math.min(Math.max(to - from, least), end * 1.02);
    const start = Math.max(-end * 0.01, Math.min(from, end * 1.01 - length));
    this.drawing.from = start;
    this.drawing.to = start + length;
    this.redraw();
  }

  zoom(factor, around) {
    const d = this.drawing, length = d.to - d.from;
    const chosen = d.chosen >= 0 ? this.run.time[d.chosen] : -1;
    const centre = around ?? (chosen >= d.from && chosen <= d.to ? chosen : (d.from + d.to) / 2);
    const part = (centre - d.from) / length;
    this.show(centre - part * length * factor, centre + (1 - part) * length * factor);
  }

  move(part) {
    const length = this.drawing.to - this.drawing.from;
    this.show(this.drawing.from + part * length, this.drawing.to + part * length);
  }

  showMessage(number, moves) {
    const m = this.run.messages[number];
    if (!m) return;
    const times = m.receptions.flatMap(r => [r[1], r[2]]).concat(m.asked, m.granted).filter(t => t >= 0);
    const from = Math.min(...times), to = Math.max(...times), length = Math.max(to - from, 20000);
    this.show(from - length * 0.2, to + length * 0.2);
    if (this.choice) this.choice.value = String(number);
    this.choose(m.askedEvent, moves);
  }

  // MARK: events

  line(i) {
    const run = this.run, lane = run.lanes[run.lane[i]];
    const clock = (run.clock[i] / 1e6).toFixed(6);
    const cpu = String(run.cpu[i]).padStart(3, "0");
    return `${lane.node} ${lane.name}-${lane.pid} [${cpu}] ${clock}: ${this.texts[run.name[i]]}: ${this.texts[run.detail[i]]}`;
  }

  choose(i, moves = true) {
    if (i < 0 || i >= this.run.time.length) return;
    const d = this.drawing, time = this.run.time[i];
    d.chosen = i;
    if (time < d.from || time > d.to) {
      const half = (d.to - d.from) / 2;
      this.show(time - half, time + half);
    }
    this.describe();
    this.redraw();
    const place = this.found ? this.found.indexOf(i) : i;
    if (place >= 0) {
      const top = place * ROW, height = this.list.clientHeight;
      if (top < this.list.scrollTop || top + ROW > this.list.scrollTop + height) this.list.scrollTop = top - height / 2;
    }
    this.fillList();
    if (moves) this.canvas.scrollIntoView({ block: "nearest" });
  }

  describe() {
    const box = this.chosenBox, i = this.drawing.chosen, run = this.run;
    box.replaceChildren();
    if (i < 0) {
      box.textContent = "No event is chosen: click on one, or go with the arrow keys.";
      return;
    }
    const lane = run.lanes[run.lane[i]], line = document.createElement("b");
    line.textContent = this.line(i);
    const place = `event ${run.index[i]} of ${lane.node}/trace.dat, ${(run.time[i] / 1e6).toFixed(3)} ms after the first event`;
    const more = [place];
    if (lane.role) more.push("thread: " + lane.role);
    for (const s of run.slices) if (s[5] === i) more.push(`${this.texts[s[3]]} ${this.took(s[1], s[2], "has not returned")}`);
    for (const b of run.bars) {
      if (b[5] !== i) continue;
      const name = run.lanes[b[0]].name + " " + this.texts[b[3]];
      more.push(b[4] ? `${name} ${this.took(b[1], b[2], "was never answered")}` : `${name} held ${this.took(b[1], b[2], "to the end")}`);
    }
    run.messages.forEach((m, n) => {
      if (m.askedEvent === i) more.push(`message ${n + 1}: ${this.texts[m.type]} ${this.took(m.asked, m.granted, "was never acknowledged")}`);
    });
    box.append(line, document.createElement("br"), more.join("; "));
  }

  took(start, end, open) { return end < 0 ? open : `for ${((end - start) / 1e6).toFixed(3)} ms`; }

  step(by) {
    const found = this.found, count = found ? found.length : this.run.time.length;
    if (!count) return;
    let place = found ? found.indexOf(this.drawing.chosen) : this.drawing.chosen;
    if (place < 0 && !found) place = this.drawing.firstAt(this.drawing.from) - (by > 0 ? 1 : 0);
    place = Math.max(0, Math.min(count - 1, place + by));
    this.choose(found ? found[place] : place, false);
  }

  // MARK: the list. Only the rows that can be seen are in the page.

  find(text) {
    this.found = null;
    if (text) {
      this.found = [];
      for (let i = 0; i < this.run.time.length; i++) if (this.line(i).toLowerCase().includes(text)) this.found.push(i);
    }
    this.list.scrollTop = 0;
    this.fillList();
  }

  fillList() {
    const found = this.found, count = found ? found.length : this.run.time.length;
    this.space.style.height = count * ROW + "px";
    const first = Math.max(0, Math.floor(this.list.scrollTop / ROW) - 4);
    const last = Math.min(count, first + Math.ceil(this.list.clientHeight / ROW) + 9);
    const rows = [];
    let active = "";
    for (let place = first; place < last; place++) {
      const i = found ? found[place] : place, row = document.createElement("div");
      row.className = "row";
      row.id = `${this.run.id}-event${i}`;
      row.setAttribute("role", "option");
      row.setAttribute("aria-selected", String(i === this.drawing.chosen));
      row.setAttribute("aria-setsize", String(count));
      row.setAttribute("aria-posinset", String(place + 1));
      row.style.top = place * ROW + "px";
      row.textContent = this.line(i);
      row.dataset.event = i;
      if (i === this.drawing.chosen) active = row.id;
      rows.push(row);
    }
    this.space.replaceChildren(...rows);
    if (active) this.list.setAttribute("aria-activedescendant", active);
    else this.list.removeAttribute("aria-activedescendant");
  }

  // MARK: what comes in

  listen() {
    new ResizeObserver(() => { this.redraw(); this.fillList(); }).observe(this.canvas.parentElement);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.redraw());
    this.list.addEventListener("click", event => {
      const row = event.target.closest(".row");
      if (row) this.choose(Number(row.dataset.event), false);
    });
    this.list.addEventListener("scroll", () => this.fillList());
    this.list.addEventListener("keydown", event => this.key(event, true));
    this.canvas.addEventListener("keydown", event => this.key(event, false));
    this.canvas.addEventListener("wheel", event => {
      if (!event.ctrlKey && !event.shiftKey) return;
      event.preventDefault();
      if (event.shiftKey) this.move(Math.sign(event.deltaY || event.deltaX) * 0.1);
      else this.zoom(event.deltaY > 0 ? 1.25 : 0.8, this.drawing.time(event.offsetX));
    }, { passive: false });
    this.canvas.addEventListener("pointerdown", event => this.press(event));
  }

  press(event) {
    const d = this.drawing, begun = { x: event.offsetX, y: event.offsetY, from: d.from, to: d.to };
    const inOverview = begun.y < OVERVIEW && begun.x > d.labels;
    let moved = false;
    const centre = x => {
      const time = (x - d.labels) / (d.width - d.labels) * this.run.end, half = (d.to - d.from) / 2;
      this.show(time - half, time + half);
    };
    if (inOverview) centre(begun.x);
    this.canvas.setPointerCapture(event.pointerId);
    const move = next => {
      if (Math.abs(next.offsetX - begun.x) > 3) moved = true;
      if (inOverview) return centre(next.offsetX);
      if (!moved) return;
      const by = (begun.x - next.offsetX) / (d.width - d.labels) * (begun.to - begun.from);
      this.show(begun.from + by, begun.to + by);
    };
    const end = last => {
      this.canvas.removeEventListener("pointermove", move);
      this.canvas.removeEventListener("pointerup", end);
      this.canvas.removeEventListener("pointercancel", end);
      if (!moved && !inOverview) this.choose(d.eventAt(last.offsetX, last.offsetY), false);
    };
    this.canvas.addEventListener("pointermove", move);
    this.canvas.addEventListener("pointerup", end);
    this.canvas.addEventListener("pointercancel", end);
  }

  key(event, isList) {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const page = Math.floor(this.list.clientHeight / ROW);
    const acts = {
      ArrowRight: () => event.shiftKey ? this.move(0.25) : this.step(1),
      ArrowLeft: () => event.shiftKey ? this.move(-0.25) : this.step(-1),
      "+": () => this.zoom(0.5), "=": () => this.zoom(0.5), "-": () => this.zoom(2),
      "0": () => this.show(0, this.run.end),
      Home: () => this.step(-Infinity), End: () => this.step(this.run.time.length),
    };
    if (isList) {
      Object.assign(acts, {
        ArrowDown: () => this.step(1), ArrowUp: () => this.step(-1),
        PageDown: () => this.step(page), PageUp: () => this.step(-page),
      });
    }
    const act = acts[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  }
}

(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const views = new Map();
  const open = element => {
    const id = element.dataset.run;
    const run = data.runs.find(run => run.id === id);
    if (run && !views.has(id)) views.set(id, new TimelineView(element, run, data.texts));
    return views.get(id);
  };
  // A timeline is drawn when it comes near the window: a report of many runs begins at once.
  const seen = new IntersectionObserver(entries => {
    for (const entry of entries) if (entry.isIntersecting) { open(entry.target); seen.unobserve(entry.target); }
  }, { rootMargin: "600px" });
  for (const element of document.querySelectorAll(".timeline")) seen.observe(element);
  for (const button of document.querySelectorAll("button.show")) {
    button.addEventListener("click", () => {
      const element = document.getElementById(button.dataset.run + "-timeline");
      for (let at = element; at; at = at.parentElement) if (at.tagName === "DETAILS") at.open = true;
      const view = element && open(element);
      if (!view) return;
      if (button.dataset.message) view.showMessage(Number(button.dataset.message), true);
      else view.choose(Number(button.dataset.event), true);
      view.canvas.focus({ preventScroll: false });
    });
  }
  const draw = isPrint => {
    document.documentElement.toggleAttribute("data-print", isPrint);
    if (isPrint) for (const element of document.querySelectorAll("details:not([open])")) element.open = true;
    if (isPrint) for (const element of document.querySelectorAll(".timeline")) open(element);
    for (const view of views.values()) view.drawing.draw();
  };
  addEventListener("beforeprint", () => draw(true));
  addEventListener("afterprint", () => draw(false));
  document.documentElement.dataset.ready = "1";
})();
