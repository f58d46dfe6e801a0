"use strict";
// SPDX-License-Identifier: GPL-2.0
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const NS = "http://www.w3.org/2000/svg";
  const el = (name, attributes = {}, ...children) => {
    const node = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
    node.append(...children);
    return node;
  };
  const svg = (name, attributes = {}, ...children) => {
    const node = document.createElementNS(NS, name);
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
    node.append(...children);
    return node;
  };
  const ms = t => (t / 1000).toFixed(t < 10000 ? 3 : 1) + " ms";
  const clock = t => (t / 1e6).toFixed(6) + " s";
  const colours = ["--bar1", "--bar2", "--bar3", "--bar4"];
  const colour = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const lockColour = { token: 0, message: 1, ack: 2, "no-new-dev": 3, resync: 3 };

  // One message: rows are threads, bars are locks, arrows lead from the sender to those who read it.
  function drawMessage(record, message, choose) {
    const from = message.from, to = Math.max(message.to, from + 1);
    const lanes = [...new Set(message.lanes)];
    const label = 190, width = 1100, row = 46, top = 24;
    const x = t => label + (t - from) / (to - from) * (width - label - 50);
    const y = lane => top + lanes.indexOf(lane) * row + row / 2;
    const height = top + lanes.length * row + 24;
    const picture = svg("svg", { width, height, viewBox: `0 0 ${width} ${height}`, role: "group", "aria-label": message.title });
    for (let step = 0; step <= 8; step++) {
      const t = from + (to - from) * step / 8;
      picture.append(svg("line", { x1: x(t), x2: x(t), y1: top - 6, y2: height - 20, class: "lane" }),
        svg("text", { x: x(t), y: 12, class: "soft", "text-anchor": "middle" }, ms(t - from)));
    }
    for (const lane of lanes) {
      picture.append(svg("text", { x: 4, y: y(lane) + 4 }, record.threads[lane]),
        svg("line", { x1: label, x2: width - 50, y1: y(lane), y2: y(lane), class: "lane" }));
    }
    for (const lock of record.locks) {
      const lane = lanes.find(l => record.nodeOf[l] === lock.node && l === lock.lane);
      if (lane === undefined || lock.to < from || lock.from > to) continue;
      const a = Math.max(lock.from, from), b = Math.min(lock.to, to), order = lockColour[lock.name] ?? 0;
      const bar = svg("rect", { x: x(a), y: y(lane) - 18 + order * 4, width: Math.max(1, x(b) - x(a)), height: 4, fill: `var(${colours[order]})` },
        svg("title", {}, `${lock.name} ${lock.mode}, ${ms(lock.to - lock.from)}`));
      picture.append(bar);
    }
    for (const arrow of message.arrows) {
      picture.append(svg("path", { class: "arrow", "marker-end": "url(#head)", d: `M${x(arrow.at)} ${y(arrow.fromLane)} L${x(arrow.until)} ${y(arrow.toLane)}` },
        svg("title", {}, arrow.text)));
    }
    const marker = svg("marker", { id: "head", viewBox: "0 0 8 8", refX: 8, refY: 4, markerWidth: 8, markerHeight: 8, orient: "auto" },
      svg("path", { d: "M0 0 L8 4 L0 8 z", fill: "var(--accent)" }));
    picture.append(svg("defs", {}, marker));
    for (const index of message.events) {
      const [t, lane, text] = record.events[index];
      if (!lanes.includes(lane)) continue;
      const group = svg("g", { tabindex: "0", role: "button", "aria-label": `${record.threads[lane]} ${clock(t)} ${text}` },
        svg("circle", { class: "event", cx: x(t), cy: y(lane), r: 4 }), svg("title", {}, `${text}\n${clock(t)}`));
      const pick = () => choose(index);
      group.addEventListener("click", pick);
      group.addEventListener("keydown", event => { if (event.key === "Enter" || event.key === " ") { event.preventDefault(); pick(); } });
      picture.append(group);
    }
    const key = el("p", { class: "hint" }, "Bars, from above: token, message, ack, no-new-dev or resync.");
    return el("div", { tabindex: "0", role: "region", "aria-label": "Picture of " + message.title }, picture, key);
  }

  // All events: a canvas for the eye, a table for the keyboard, a search box for both.
  function overview(place, record) {
    const state = { from: record.begin, to: Math.max(record.end, record.begin + 1), chosen: -1, page: 0, filter: "" };
    const whole = [state.from, state.to];
    const canvas = el("canvas", { tabindex: "0", role: "img", "aria-label": `${record.events.length} events of ${record.threads.length} threads over time. Arrow keys move, plus and minus zoom; the table below has every event.` });
    const said = el("p", { class: "hint", role: "status" });
    const rows = el("tbody");
    const head = el("thead", {}, el("tr", {}, ...["Time", "Thread", "Event", "Line of trace"].map(text => el("th", { scope: "col" }, text))));
    const table = el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Events of " + record.name }, el("table", {}, head, rows));
    const search = el("input", { type: "search", "aria-label": "Search events", placeholder: "search events" });
    const button = (text, name, action) => { const b = el("button", { type: "button", "aria-label": name }, text); b.addEventListener("click", action); return b; };
    const size = 100;
    let found = record.events.map((_, index) => index);
    const lane = 16, left = 190;
    let frame = 0;
    const draw = () => {
      frame = 0;
      const scale = window.devicePixelRatio || 1, width = canvas.clientWidth || 800, height = record.threads.length * lane + 24;
      canvas.style.height = height + "px";
      canvas.width = width * scale; canvas.height = height * scale;
      const c = canvas.getContext("2d");
      c.scale(scale, scale);
      c.clearRect(0, 0, width, height);
      c.font = "11px system-ui, sans-serif";
      const ink = colour("--ink"), soft = colour("--soft"), line = colour("--line"), accent = colour("--accent");
      const room = Math.min(left, width / 3), x = t => room + (t - state.from) / (state.to - state.from) * (width - room - 10);
      const paints = colours.map(colour);
      record.threads.forEach((name, index) => {
        c.fillStyle = soft; c.fillText(name.slice(0, Math.floor(room / 6.2)), 4, index * lane + 12);
        c.strokeStyle = line; c.beginPath(); c.moveTo(room, index * lane + 8); c.lineTo(width - 10, index * lane + 8); c.stroke();
      });
      for (const lock of record.locks) {
        if (lock.to < state.from || lock.from > state.to) continue;
        const a = Math.max(room, x(lock.from)), b = Math.min(width - 10, x(lock.to));
        c.fillStyle = paints[lockColour[lock.name] ?? 0]; c.fillRect(a, lock.lane * lane + 10, Math.max(1, b - a), 4);
      }
      c.fillStyle = ink;
      for (const index of found) {
        const [t, l] = record.events[index];
        if (t < state.from || t > state.to) continue;
        c.fillRect(x(t) - 1, l * lane + 3, 2, 7);
      }
      if (state.chosen >= 0) {
        const [t, l] = record.events[state.chosen];
        c.fillStyle = accent; c.fillRect(x(t) - 2, l * lane, 4, 14);
      }
      c.fillStyle = soft; c.fillText(clock(state.from), room, height - 4);
      const end = clock(state.to); c.fillText(end, width - 10 - c.measureText(end).width, height - 4);
    };
    const redraw = () => { if (!frame) frame = requestAnimationFrame(draw); };
    const list = () => {
      rows.replaceChildren(...found.slice(state.page * size, (state.page + 1) * size).map(index => {
        const [t, l, text, line] = record.events[index];
        const row = el("tr", {}, el("td", { class: "number" }, clock(t)), el("td", {}, record.threads[l]), el("td", { class: "mono" }, text), el("td", { class: "number" }, String(line)));
        if (index === state.chosen) row.className = "chosen";
        row.addEventListener("click", () => choose(index, false));
        return row;
      }));
      const pages = Math.max(1, Math.ceil(found.length / size));
      said.textContent = `${found.length} events, page ${state.page + 1} of ${pages}` + (state.chosen >= 0 ? `; chosen: ${record.events[state.chosen][2]} at ${clock(record.events[state.chosen][0])}` : "");
    };
    const choose = (index, scroll = true) => {
      state.chosen = index;
      const place = found.indexOf(index);
      if (place >= 0) state.page = Math.floor(place / size);
      list(); redraw();
      if (scroll) rows.querySelector(".chosen")?.scrollIntoView({ block: "center" });
    };
    const zoom = (factor, around = (state.from + state.to) / 2) => {
      const span = Math.min(Math.max((state.to - state.from) * factor, 10), whole[1] - whole[0]);
      const share = (around - state.from) / (state.to - state.from);
      state.from = Math.max(whole[0], around - span * share); state.to = Math.min(whole[1], state.from + span);
      redraw();
    };
    const move = share => {
      const span = state.to - state.from, from = Math.min(Math.max(state.from + span * share, whole[0]), whole[1] - span);
      state.from = from; state.to = from + span; redraw();
    };
    const time = event => {
      const box = canvas.getBoundingClientRect(), room = Math.min(left, box.width / 3);
      return state.from + (event.clientX - box.left - room) / (box.width - room - 10) * (state.to - state.from);
    };
    canvas.addEventListener("wheel", event => { if (event.ctrlKey || event.shiftKey) { event.preventDefault(); zoom(event.deltaY > 0 ? 1.25 : .8, time(event)); } }, { passive: false });
    canvas.addEventListener("click", event => {
      const t = time(event), l = Math.floor((event.clientY - canvas.getBoundingClientRect().top) / lane);
      let best = -1, distance = Infinity;
      for (const index of found) {
        const d = Math.abs(record.events[index][0] - t) + (record.events[index][1] === l ? 0 : (state.to - state.from));
        if (d < distance) { distance = d; best = index; }
      }
      if (best >= 0) choose(best);
    });
    canvas.addEventListener("keydown", event => {
      const action = { ArrowLeft: () => move(-.2), ArrowRight: () => move(.2), "+": () => zoom(.8), "-": () => zoom(1.25), "0": () => { [state.from, state.to] = whole; redraw(); } }[event.key];
      if (action) { event.preventDefault(); action(); }
    });
    search.addEventListener("input", () => {
      const wanted = search.value.toLowerCase();
      found = record.events.flatMap((event, index) => !wanted || (event[2] + " " + record.threads[event[1]]).toLowerCase().includes(wanted) ? [index] : []);
      state.page = 0; list(); redraw();
    });
    const pages = () => Math.max(1, Math.ceil(found.length / size));
    place.append(
      el("div", { class: "tools" }, button("−", "Zoom out", () => zoom(1.6)), button("+", "Zoom in", () => zoom(.6)), button("◀", "Earlier", () => move(-.5)), button("▶", "Later", () => move(.5)), button("Whole run", "Show the whole run", () => { [state.from, state.to] = whole; redraw(); }), search),
      canvas,
      el("div", { class: "tools" }, button("Previous page", "Previous page of events", () => { state.page = Math.max(0, state.page - 1); list(); }), button("Next page", "Next page of events", () => { state.page = Math.min(pages() - 1, state.page + 1); list(); }), said), table);
    list();
    new ResizeObserver(redraw).observe(canvas);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
    return choose;
  }

  function drawWaits(place, record) {
    const nodes = [...new Set(record.waits.flatMap(wait => [wait.from, wait.to]))];
    if (!nodes.length) return;
    const width = 620, radius = nodes.length < 3 ? 70 : 110, height = radius * 2 + 60;
    const at = nodes.map((_, index) => { const angle = index / nodes.length * 2 * Math.PI - Math.PI / 2; return [width / 2 + Math.cos(angle) * (width / 2 - 100), height / 2 + Math.sin(angle) * radius]; });
    const picture = svg("svg", { width, height, viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": record.waits.map(wait => `${wait.from} waits for ${wait.to}`).join("; ") });
    picture.append(svg("defs", {}, svg("marker", { id: "waithead", viewBox: "0 0 8 8", refX: 8, refY: 4, markerWidth: 8, markerHeight: 8, orient: "auto" }, svg("path", { d: "M0 0 L8 4 L0 8 z", fill: "var(--fail)" }))));
    for (const wait of record.waits) {
      const [a, b] = [at[nodes.indexOf(wait.from)], at[nodes.indexOf(wait.to)]];
      const middle = [(a[0] + b[0]) / 2 + (b[1] - a[1]) * .15, (a[1] + b[1]) / 2 - (b[0] - a[0]) * .15];
      const length = Math.hypot(b[0] - middle[0], b[1] - middle[1]) || 1, cut = 34 / length;
      picture.append(svg("path", { class: "wait", "marker-end": "url(#waithead)", d: `M${a[0]} ${a[1]} Q${middle[0]} ${middle[1]} ${b[0] - (b[0] - middle[0]) * cut} ${b[1] - (b[1] - middle[1]) * cut}` }, svg("title", {}, wait.text)));
    }
    nodes.forEach((name, index) => picture.append(svg("rect", { class: "box", x: at[index][0] - 90, y: at[index][1] - 15, width: 180, height: 30, rx: 6 }), svg("text", { x: at[index][0], y: at[index][1] + 4, "text-anchor": "middle" }, name)));
    place.append(picture);
  }

  const choosers = {};
  document.querySelectorAll(".overview").forEach(place => { choosers[place.dataset.record] = overview(place, data.records[place.dataset.record]); });
  document.querySelectorAll(".waits").forEach(place => drawWaits(place, data.records[place.dataset.record]));
  document.querySelectorAll(".messages").forEach(place => {
    const record = data.records[place.dataset.record];
    record.messages.forEach(message => {
      const body = el("div"), box = el("details", {}, el("summary", {}, message.title), body);
      box.addEventListener("toggle", () => { if (box.open && !body.childNodes.length) body.append(drawMessage(record, message, index => choosers[place.dataset.record](index))); });
      place.append(box);
    });
    if (!record.messages.length) place.append(el("p", {}, "No message was sent."));
  });
  window.addEventListener("beforeprint", () => document.querySelectorAll(".messages details").forEach((box, index) => { if (index < 12) box.open = true; }));
})();
