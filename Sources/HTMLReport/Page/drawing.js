// SPDX-License-Identifier: GPL-2.0
// Draws one run's timeline on a canvas: what lies in the window [from, to], in nanoseconds of the axis. The cost of a
// drawing is bounded by the pixels of the canvas, not by the events of the run.
"use strict";

const HEAD = 58, NODE = 22, CALL = 13, LOCK = 20, OVERVIEW = 26;

class Drawing {
  constructor(canvas, run, texts) {
    this.canvas = canvas;
    this.run = run;
    this.texts = texts;
    this.chosen = -1;
    this.hidesWorkers = false;
    this.from = 0;
    this.to = Math.max(1, run.end);
    this.layout();
  }

  isWorker(lane) { return /^(kworker|dlm_|ksoftirqd|swapper|<idle>)/.test(lane.name); }

  // Where each lane is. Threads are as high as their calls are deep.
  layout() {
    const depth = this.run.lanes.map(() => 0);
    for (const s of this.run.slices) depth[s[0]] = Math.max(depth[s[0]], Math.min(3, s[4] + 1));
    this.rows = [];
    this.heads = [];
    let y = HEAD, node = null;
    this.run.lanes.forEach((lane, i) => {
      if (lane.node !== node) {
        node = lane.node;
        this.heads.push({ y, node });
        y += NODE;
      }
      const hidden = this.hidesWorkers && lane.kind === "thread" && this.isWorker(lane);
      const height = hidden ? 0 : lane.kind === "lock" ? LOCK : 9 + CALL * Math.max(1, depth[i]);
      this.rows.push({ y, height });
      y += height;
    });
    this.height = y + 6;
  }

  colours() {
    const style = getComputedStyle(document.documentElement);
    const get = name => style.getPropertyValue("--" + name).trim();
    const names = ["paper", "ink", "quiet", "line", "soft", "link", "ex", "cw", "pw", "pr", "cr", "nl", "call",
      "call-ink", "told", "answer", "tick", "row", "window", "bad"];
    return Object.fromEntries(names.map(name => [name, get(name)]));
  }

  get labels() { return this.width < 560 ? 92 : 168; }
  x(time) { return this.labels + (time - this.from) / (this.to - this.from) * (this.width - this.labels); }
  time(x) { return this.from + (x - this.labels) / (this.width - this.labels) * (this.to - this.from); }

  draw() {
    const started = performance.now();
    this.width = Math.max(240, this.canvas.parentElement.clientWidth);
    const scale = Math.min(2, window.devicePixelRatio || 1);
    this.canvas.width = Math.round(this.width * scale);
    this.canvas.height = Math.round(this.height * scale);
    this.canvas.style.height = this.height + "px";
    const c = this.context = this.canvas.getContext("2d");
    c.setTransform(scale, 0, 0, scale, 0, 0);
    this.ink = this.colours();
    c.fillStyle = this.ink.paper;
    c.fillRect(0, 0, this.width, this.height);
    c.textBaseline = "middle";
    this.drawRows();
    c.save();
    c.beginPath();
    c.rect(this.labels, 0, this.width - this.labels, this.height);
    c.clip();
    this.drawAxis();
    this.drawBars();
    this.drawSlices();
    this.drawEvents();
    this.drawMessages();
    this.drawChosen();
    c.restore();
    this.drawOverview();
    this.canvas.dataset.milliseconds = (performance.now() - started).toFixed(2);
  }

  fit(text, width) {
    const c = this.context;
    if (c.measureText(text).width <= width) return text;
    let n = Math.max(0, Math.floor(text.length * width / Math.max(1, c.measureText(text).width)) - 1);
    while (n > 0 && c.measureText(text.slice(0, n) + "…").width > width) n--;
    return n > 1 ? text.slice(0, n) + "…" : "";
  }

  drawRows() {
    const c = this.context, ink = this.ink;
    this.run.lanes.forEach((lane, i) => {
      const row = this.rows[i];
      if (!row.height) return;
      if (i % 2) { c.fillStyle = ink.row; c.fillRect(0, row.y, this.width, row.height); }
      c.font = "12px system-ui, sans-serif";
      c.fillStyle = lane.kind === "lock" ? ink.quiet : ink.ink;
      const name = lane.kind === "lock" ? lane.name : lane.name + (this.width < 560 ? "" : "-" + lane.pid);
      c.fillText(this.fit(name, this.labels - 12), 8, row.y + row.height / 2);
    });
    for (const head of this.heads) {
      c.fillStyle = ink.soft;
      c.fillRect(0, head.y, this.width, NODE);
      c.fillStyle = ink.line;
      c.fillRect(0, head.y, this.width, 1);
      c.fillStyle = ink.ink;
      c.font = "600 13px system-ui, sans-serif";
      c.fillText(head.node, 6, head.y + NODE / 2);
    }
  }

  drawAxis() {
    const c = this.context, ink = this.ink;
    const wanted = (this.to - this.from) / Math.max(2, (this.width - this.labels) / 110);
    let step = Math.pow(10, Math.floor(Math.log10(wanted)));
    step *= wanted / step > 5 ? 10 : wanted / step > 2 ? 5 : wanted / step > 1 ? 2 : 1;
    c.font = "11px system-ui, sans-serif";
    for (let t = Math.ceil(this.from / step) * step; t <= this.to; t += step) {
      const x = Math.round(this.x(t)) + 0.5;
      c.fillStyle = ink.line;
      c.fillRect(x, OVERVIEW + 22, 1, this.height);
      c.fillStyle = ink.quiet;
      c.fillText(duration(t, step), x + 3, OVERVIEW + 14);
    }
    for (const mark of this.run.marks) {
      if (mark.time < this.from || mark.time > this.to) continue;
      c.fillStyle = ink.link;
      c.fillRect(Math.round(this.x(mark.time)), OVERVIEW + 20, 2, HEAD - OVERVIEW - 20);
      c.fillText(this.fit(this.texts[mark.text], 220), this.x(mark.time) + 5, HEAD - 6);
    }
  }

  drawBars() {
    const c = this.context, ink = this.ink, last = new Map();
    for (const [lane, start, end, mode, waits] of this.run.bars) {
      const until = end < 0 ? this.run.end : end, row = this.rows[lane];
      if (until < this.from || start > this.to || this.isOnLastPixel(last, lane * 16 + waits, start, until)) continue;
      const left = Math.max(this.labels, this.x(start)), right = Math.min(this.width, this.x(until));
      const colour = ink[this.texts[mode].toLowerCase()] || ink.quiet, y = row.y + 3, h = row.height - 6;
      if (waits) {
        // A request: hatched, over what is held meanwhile.
        c.fillStyle = ink.paper;
        c.fillRect(left, y + h / 2, Math.max(1, right - left), h / 2);
        c.strokeStyle = colour;
        c.setLineDash([3, 2]);
        c.strokeRect(left + 0.5, y + h / 2, Math.max(1, right - left), h / 2 - 0.5);
        c.setLineDash([]);
        if (right - left > 60) {
          c.fillStyle = ink.ink;
          c.font = "9px system-ui, sans-serif";
          c.fillText("waits for " + this.texts[mode], left + 4, y + h * 0.78);
        }
      } else if (this.texts[mode] === "NL") {
        c.fillStyle = ink.nl;
        c.fillRect(left, y + h / 2 - 0.5, Math.max(1, right - left), 1);
      } else {
        c.fillStyle = colour;
        c.fillRect(left, y, Math.max(1, right - left), h);
        if (right - left > 22) {
          c.fillStyle = ink.paper;
          c.font = "600 10px system-ui, sans-serif";
          c.fillText(this.texts[mode], left + 4, y + h / 2);
        }
      }
    }
  }

  // Whether something narrower than a pixel lies where the last such thing of its row was drawn.
  isOnLastPixel(last, row, start, end) {
    const left = Math.round(this.x(start));
    if (this.x(end) - this.x(start) >= 1) return false;
    if (last.get(row) === left) return true;
    last.set(row, left);
    return false;
  }

  drawSlices() {
    const c = this.context, ink = this.ink, last = new Map();
    for (const [lane, start, end, name, depth] of this.run.slices) {
      const until = end < 0 ? this.run.end : end, row = this.rows[lane];
      if (until < this.from || start > this.to || !row.height) continue;
      if (this.isOnLastPixel(last, lane * 16 + depth, start, until)) continue;
      const left = Math.max(this.labels, this.x(start)), right = Math.min(this.width, this.x(until));
      const y = row.y + 3 + Math.min(2, depth) * CALL;
      c.fillStyle = ink.call;
      c.fillRect(left, y, Math.max(1, right - left), CALL - 2);
      if (right - left > 34) {
        c.fillStyle = ink["call-ink"];
        c.font = "10px system-ui, sans-serif";
        c.fillText(this.fit(this.texts[name] + (end < 0 ? " (not returned)" : ""), right - left - 6), left + 3,
          y + CALL / 2 - 0.5);
      }
    }
  }

  // Of the events that fall on one pixel of a lane one is drawn.
  drawEvents() {
    const c = this.context, run = this.run, last = run.lanes.map(() => -1);
    c.fillStyle = this.ink.tick;
    for (let i = this.firstAt(this.from); i < run.time.length && run.time[i] <= this.to; i++) {
      const lane = run.lane[i], x = Math.round(this.x(run.time[i])), row = this.rows[lane];
      if (x === last[lane] || !row.height) continue;
      last[lane] = x;
      c.fillRect(x, row.y + row.height - 6, 1, 5);
    }
  }

  drawMessages() {
    const ink = this.ink, drawn = new Set();
    for (const m of this.run.messages) {
      const until = m.granted < 0 ? this.run.end : m.granted;
      if (until < this.from || m.asked > this.to) continue;
      // Of messages that begin and end on one pixel one is drawn.
      const place = `${m.lane} ${Math.round(this.x(m.asked))} ${Math.round(this.x(until))}`;
      if (drawn.has(place)) continue;
      drawn.add(place);
      const here = this.middle(m.lane);
      m.receptions.forEach((r, i) => {
        const there = this.middle(r[0]);
        const wide = this.x(until) - this.x(m.asked) > 130;
        this.arrow(this.x(m.asked), here, this.x(r[1]), there, ink.told, wide ? this.texts[m.type] : "");
        if (r[2] < 0) return;
        if (m.granted >= 0) this.arrow(this.x(r[2]), there, this.x(m.granted), here, ink.answer, "");
        if (wide && this.texts[m.paths[i]]) this.label(this.texts[m.paths[i]], this.x(r[1]) + 4, there + 12, ink.answer);
      });
    }
  }

  middle(lane) { return this.rows[lane].y + this.rows[lane].height / 2; }

  arrow(x1, y1, x2, y2, colour, label) {
    const c = this.context, angle = Math.atan2(y2 - y1, x2 - x1);
    c.strokeStyle = c.fillStyle = colour;
    c.lineWidth = 1.6;
    c.beginPath();
    c.moveTo(x1, y1);
    c.lineTo(x2, y2);
    c.stroke();
    c.lineWidth = 1;
    c.beginPath();
    c.moveTo(x2, y2);
    c.lineTo(x2 - 8 * Math.cos(angle - 0.4), y2 - 8 * Math.sin(angle - 0.4));
    c.lineTo(x2 - 8 * Math.cos(angle + 0.4), y2 - 8 * Math.sin(angle + 0.4));
    c.fill();
    if (label) this.label(label, x1 + 5, y1 + (y2 > y1 ? 14 : -14), colour);
  }

  label(text, x, y, colour) {
    const c = this.context;
    c.font = "600 11px system-ui, sans-serif";
    const width = c.measureText(text).width;
    c.fillStyle = this.ink.paper;
    c.fillRect(x - 2, y - 7, width + 4, 14);
    c.fillStyle = colour;
    c.fillText(text, x, y);
  }

  drawChosen() {
    if (this.chosen < 0) return;
    const c = this.context, run = this.run, row = this.rows[run.lane[this.chosen]];
    const x = this.x(run.time[this.chosen]);
    c.fillStyle = this.ink.link;
    c.fillRect(x - 0.5, OVERVIEW + 20, 1, this.height);
    c.strokeStyle = this.ink.link;
    c.lineWidth = 2.5;
    c.beginPath();
    c.arc(x, row.y + row.height - 4, 6, 0, 2 * Math.PI);
    c.stroke();
    c.lineWidth = 1;
  }

  // The whole run in a strip: how much happened when, and where the window is.
  drawOverview() {
    const c = this.context, ink = this.ink, run = this.run, width = this.width - this.labels;
    const end = Math.max(1, run.end);
    if (this.countsWidth !== width) {
      this.countsWidth = width;
      this.counts = new Uint32Array(Math.ceil(width) + 1);
      for (const t of run.time) this.counts[Math.floor(t / end * width)]++;
      this.most = this.counts.reduce((most, n) => Math.max(most, n), 1);
    }
    const { counts, most } = this;
    c.fillStyle = ink.soft;
    c.fillRect(0, 0, this.width, OVERVIEW);
    c.fillStyle = ink.quiet;
    c.font = "11px system-ui, sans-serif";
    c.fillText("whole run", 8, OVERVIEW / 2);
    counts.forEach((n, x) => {
      const h = n ? 3 + (OVERVIEW - 8) * Math.log1p(n) / Math.log1p(most) : 0;
      c.fillRect(this.labels + x, OVERVIEW - 2 - h, 1, h);
    });
    const left = this.labels + this.from / end * width, right = this.labels + this.to / end * width;
    c.fillStyle = ink.window;
    c.fillRect(left, 0, Math.max(2, right - left), OVERVIEW);
    c.strokeStyle = ink.link;
    c.strokeRect(left + 0.5, 0.5, Math.max(2, right - left) - 1, OVERVIEW - 1);
  }

  // The first event at or after a time.
  firstAt(time) {
    let low = 0, high = this.run.time.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.run.time[middle] < time) low = middle + 1; else high = middle;
    }
    return low;
  }

  laneAt(y) { return this.rows.findIndex(row => y >= row.y && y < row.y + row.height); }

  // The event that a click means: of a bar or a call under it the one that began it, else the nearest in the lane.
  eventAt(x, y) {
    const lane = this.laneAt(y), time = this.time(x), near = (this.to - this.from) / (this.width - this.labels) * 6;
    if (lane < 0) return -1;
    let best = -1, distance = near;
    for (let i = this.firstAt(time - near); i < this.run.time.length && this.run.time[i] <= time + near; i++) {
      if (this.run.lane[i] !== lane) continue;
      if (Math.abs(this.run.time[i] - time) <= distance) { best = i; distance = Math.abs(this.run.time[i] - time); }
    }
    if (best >= 0) return best;
    const inside = s => s[0] === lane && s[1] <= time && (s[2] < 0 || s[2] >= time);
    const call = this.run.slices.filter(inside).pop(), bar = this.run.bars.filter(inside).pop();
    return call ? call[5] : bar ? bar[5] : -1;
  }
}

// A time on the axis, as exact as the step between two marks.
function duration(nanoseconds, step) {
  const digits = Math.max(0, Math.min(9, -Math.floor(Math.log10(step / 1e9))));
  if (step >= 1e7) return (nanoseconds / 1e9).toFixed(digits) + " s";
  return (nanoseconds / 1e6).toFixed(Math.max(0, digits - 3)) + " ms";
}
