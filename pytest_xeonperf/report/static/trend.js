/* Trend charts: a stack of uPlot canvases over one axis of runs, with a tooltip, keys and the page's colours.
   Each chart reads its data from the JSON element that it names; the words in it are ready to be shown. */
(() => {
  "use strict";

  const HEIGHT = 250; // of the plot on top, which shows the verdicts
  const LOWER_HEIGHTS = { candidate: 130, baseline: 150 };
  const FONT = "12px system-ui, sans-serif";

  /* The data of a chart, unpacked: words and figures come as columns (columns.py, trend.py), and leave as spots and lines. */

  const bytesOf = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));

  function wordsOf([words, places], count) {
    if (words.length < 2) return Array(count).fill(words[0] ?? "");
    const bytes = bytesOf(places);
    const wide = words.length > 256 ? new Uint16Array(bytes.buffer) : bytes;
    return Array.from(wide, (place) => words[place]);
  }

  const figuresOf = (text) => Array.from(new Float32Array(bytesOf(text).buffer), (value) => (Number.isNaN(value) ? null : value));

  function unpacked(name) {
    const data = JSON.parse(document.getElementById(name).textContent);
    const moments = JSON.parse(document.getElementById(`${name}-moments`).textContent);
    const { count, levels } = data.trend;
    const words = {};
    Object.entries(data.trend.words).forEach(([column, packed]) => { words[column] = wordsOf(packed, count); });
    const figures = {};
    Object.entries(data.trend.figures).forEach(([column, packed]) => { figures[column] = figuresOf(packed); });
    const spots = moments.map(([sha, date, branch, subject], index) => {
      const [verdict, tone] = data.verdicts[words.outcome[index]];
      return {
        href: data.hrefs[index] ?? "", sha, date: `${date} UTC`, branch, subject, verdict, tone,
        speedup: [words.speedup[index], words.low[index], words.high[index]].filter(Boolean).join(" "),
        baseline: words.baseline[index], candidate: words.candidate[index], gap: words.gap[index],
        changes: words.changes[index] ? words.changes[index].split("\n") : [],
        floor: words.floor[index], change: words.change[index], level: levels[index] ?? "",
        unknown: { floor: words.no_floor[index], change: words.no_change[index] },
      };
    });
    const within = (values, bound, end) => values.map((value) => (value === null ? null : bound(value, end)));
    const [low, high] = data.speedup.span;
    data.speedup.lines = [ // the ends of an interval as far as the axis reaches: an unbounded one would be a billion pixels away
      figures.ratio, within(figures.low_ratio, Math.max, low), within(figures.high_ratio, Math.min, high), figures.floor_ratio,
    ];
    ["candidate", "baseline"].forEach((side) => {
      data[side].lines = [figures[`${side}_ns`].map((value) => (value === null ? null : value / data[side].scale))];
    });
    return { ...data, spots };
  }

  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
  const stroke = (name) => () => colour(name);

  /* Straight onto the canvas: what a line cannot say. */

  function drawChanges(u, spots, named) {
    const { ctx, bbox } = u;
    let free = bbox.left; // where the next name may begin
    ctx.save();
    ctx.font = `${11 * uPlot.pxRatio}px system-ui, sans-serif`;
    ctx.fillStyle = colour("soft");
    ctx.textAlign = "left";
    ctx.textBaseline = "bottom";
    ctx.strokeStyle = colour("soft");
    ctx.lineWidth = uPlot.pxRatio;
    ctx.setLineDash([2 * uPlot.pxRatio, 3 * uPlot.pxRatio]);
    spots.forEach((spot, index) => {
      const place = index - 0.5; // between the run before and the first one with the new environment
      if (!spot.changes.length || place < u.scales.x.min || place > u.scales.x.max) return;
      const x = Math.round(u.valToPos(place, "x", true)) + 0.5;
      ctx.beginPath();
      ctx.moveTo(x, bbox.top);
      ctx.lineTo(x, bbox.top + bbox.height);
      ctx.stroke();
      if (!named) return;
      const name = nameOf(spot.changes);
      const width = ctx.measureText(name).width;
      const left = Math.min(x - width / 2, bbox.left + bbox.width - width);
      if (left < free) return;
      ctx.fillText(name, left, bbox.top - 2 * uPlot.pxRatio);
      free = left + width + 10 * uPlot.pxRatio;
    });
    ctx.restore();
  }

  function nameOf(changes) {
    const names = changes.map((change) => change.split(":")[0]);
    const shown = names.length > 2 ? `${names[0]} and ${names.length - 1} more` : names.join(", ");
    return shown.length > 40 ? `${shown.slice(0, 39)}…` : shown;
  }

  function drawMark(ctx, tone, x, y, size) {
    ctx.beginPath();
    if (tone === "bad") {
      ctx.moveTo(x, y - size * 1.5);
      ctx.lineTo(x + size * 1.5, y);
      ctx.lineTo(x, y + size * 1.5);
      ctx.lineTo(x - size * 1.5, y);
      ctx.closePath();
    } else {
      ctx.arc(x, y, size, 0, 2 * Math.PI);
    }
    ctx.strokeStyle = tone === "open" ? colour("open") : colour("card");
    ctx.fillStyle = tone === "open" ? colour("card") : colour(tone);
    ctx.stroke(); // before the fill: a halo that keeps the line away, and takes nothing from the mark
    ctx.fill();
  }

  function drawMarks(u, spots) {
    const { ctx, bbox } = u;
    const size = (spots.length > 150 ? 2 : 3.4) * uPlot.pxRatio;
    ctx.save();
    ctx.lineWidth = 3 * uPlot.pxRatio;
    ctx.textAlign = "center";
    ctx.textBaseline = "bottom";
    ctx.font = `${13 * uPlot.pxRatio}px system-ui, sans-serif`;
    spots.forEach((spot, index) => {
      if (index < u.scales.x.min || index > u.scales.x.max) return;
      const x = u.valToPos(index, "x", true);
      if (spot.gap) {
        ctx.fillStyle = colour(spot.tone);
        ctx.fillText("×", x, bbox.top + bbox.height - 2 * uPlot.pxRatio);
        return;
      }
      drawMark(ctx, spot.tone, x, u.valToPos(u.data[1][index], "y", true), size);
    });
    ctx.restore();
  }

  /* One plot of the stack. */

  function seriesOf(kind) {
    if (kind !== "speedup") return [{ stroke: stroke(kind), width: 1.6, points: { size: 4, fill: stroke(kind) } }];
    return [
      { stroke: stroke("line-strong"), width: 1.6, points: { show: false } },
      { stroke: "transparent", points: { show: false } },
      { stroke: "transparent", points: { show: false } },
      { stroke: stroke("floor"), width: 1.6, dash: [6, 4], points: { show: false }, paths: uPlot.paths.stepped({ align: 1 }) },
    ];
  }

  function decimals(step) {
    return Math.max(0, Math.ceil(-Math.log10(step) - 1e-9));
  }

  function axesOf(spots, last) {
    const common = { stroke: stroke("soft"), font: FONT, grid: { stroke: stroke("line"), width: 1 }, ticks: { show: false } };
    const nameOf = (place) => (Number.isInteger(place) && spots[place] ? spots[place].date.slice(5, 10) : "");
    return [
      { ...common, show: last, size: 28, space: 64, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000],
        grid: { show: false }, values: (u, places) => places.map(nameOf) },
      { ...common, size: 56, space: 34, values: (u, places, axis, space, step) => places.map((v) => v.toFixed(decimals(step))) },
    ];
  }

  function plot(box, kind, data, width, onCursor) {
    const { spots, panels } = data;
    const panel = data[kind];
    const first = kind === panels[0];
    const last = kind === panels[panels.length - 1];
    const heading = document.createElement("p");
    heading.className = "panel-name";
    heading.textContent = panel.label;
    box.append(heading);
    return new uPlot({
      width, height: first ? HEIGHT : LOWER_HEIGHTS[kind],
      legend: { show: false },
      padding: [first ? 18 : 8, 14, last ? 0 : 6, 0],
      cursor: { sync: { key: data.name }, y: false, drag: { x: true, y: false }, points: { show: false } },
      scales: { x: { time: false, range: rangeOf(spots.length) }, y: { range: panel.span } },
      axes: axesOf(spots, last),
      series: [{}, ...seriesOf(kind)],
      bands: kind === "speedup" ? [{ series: [3, 2], fill: stroke("band") }] : [],
      hooks: {
        drawAxes: [(u) => drawChanges(u, spots, first)],
        draw: first ? [(u) => drawMarks(u, spots)] : [],
        setCursor: [onCursor],
      },
    }, [spots.map((_, index) => index), ...panel.lines], box);
  }

  function rangeOf(count) {
    return (u, low, high) => [Math.max(low, 0) - 0.5, Math.min(high, count - 1) + 0.5];
  }

  /* The tooltip: text nodes only, so that a name can say what it likes. */

  function row(list, name, value) {
    if (!value) return;
    const term = document.createElement("dt");
    const description = document.createElement("dd");
    term.textContent = name;
    description.textContent = value;
    list.append(term, description);
  }

  function tell(tip, spot, sides) {
    const head = document.createElement("p");
    head.className = `tip-head tone-${spot.tone}`;
    head.textContent = spot.verdict;
    const list = document.createElement("dl");
    row(list, "speed-up", spot.speedup);
    row(list, sides.candidate, spot.candidate);
    row(list, sides.baseline, spot.baseline);
    row(list, "nothing measured", spot.gap);
    row(list, "commit", [spot.sha, spot.branch].filter(Boolean).join(" on "));
    row(list, "", spot.subject);
    row(list, "date", spot.date);
    spot.changes.forEach((change, index) => row(list, index ? "" : "changed", change));
    tip.replaceChildren(head, list);
  }

  function mount(box) {
    const data = unpacked(box.dataset.chart);
    const sides = { candidate: data.candidate.label.split(",")[0], baseline: data.baseline.label.split(",")[0] };
    const tip = document.createElement("div");
    tip.className = "tip";
    tip.hidden = true;
    tip.setAttribute("aria-live", "polite");
    const plots = [];
    let current = -1;

    function show(index) {
      const spot = data.spots[index];
      current = spot ? index : -1;
      tip.hidden = !spot;
      if (!spot) return;
      tell(tip, spot, sides);
      const u = plots[0];
      const place = u.over.offsetLeft + u.valToPos(index, "x");
      const left = place > box.clientWidth / 2 ? place - tip.offsetWidth - 14 : place + 14;
      tip.style.left = `${Math.max(0, Math.min(left, box.clientWidth - tip.offsetWidth))}px`;
    }

    const onCursor = (u) => {
      const index = u.cursor.idx;
      show(u.cursor.left < 0 || index == null ? -1 : index);
    };
    const complete = () => plots.length === data.panels.length;
    data.panels.forEach((kind) => plots.push(plot(box, kind, data, box.clientWidth, (u) => complete() && onCursor(u))));
    box.append(tip);

    function step(to) {
      const index = Math.max(0, Math.min(to, data.spots.length - 1));
      plots.forEach((u) => u.setCursor({ left: u.valToPos(index, "x"), top: 10 }, false));
      show(index);
    }

    const keys = {
      ArrowLeft: () => step(current < 0 ? data.spots.length - 1 : current - 1),
      ArrowRight: () => step(current < 0 ? 0 : current + 1),
      Home: () => step(0),
      End: () => step(data.spots.length - 1),
      Escape: () => show(-1),
      Enter: () => { if (current >= 0 && data.spots[current].href) location.href = data.spots[current].href; },
    };
    box.addEventListener("keydown", (event) => {
      if (!keys[event.key] || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      keys[event.key]();
    });
    box.addEventListener("blur", () => show(-1));
    new ResizeObserver(() => plots.forEach((u) => {
      if (u.width !== box.clientWidth) u.setSize({ width: box.clientWidth, height: u.height });
    })).observe(box);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => plots.forEach((u) => u.redraw(false)));
  }

  /* Older runs, as rows below those that the page came with, when somebody wants them. */

  function cell(line, text, kind, span = 1) {
    const made = document.createElement(kind === "moment" ? "th" : "td");
    if (kind) made.className = kind;
    if (kind === "moment") made.scope = "row";
    if (span > 1) made.colSpan = span;
    made.textContent = text;
    line.append(made);
    return made;
  }

  function figureOrWhy(line, text, why) {
    const made = cell(line, text, "number");
    if (text) return;
    const dash = Object.assign(document.createElement("span"), { className: "unknown", title: why, textContent: "—" });
    dash.append(Object.assign(document.createElement("span"), { className: "heard", textContent: ` unknown: ${why}` }));
    made.append(dash, "\n");
  }

  function olderRow(spot, alone) {
    const line = document.createElement("tr");
    line.className = "point";
    const date = spot.date.slice(0, -4); // the heading says UTC
    const moment = cell(line, spot.href ? "" : date, "moment");
    if (spot.href) moment.append(Object.assign(document.createElement("a"), { href: spot.href, textContent: date }));
    const commit = cell(line, "", "commit");
    commit.append(Object.assign(document.createElement("code"), { textContent: spot.sha || "—" }), " ");
    commit.append(Object.assign(document.createElement("span"), { className: "note", textContent: spot.subject, title: spot.subject }));
    const [sign, ...word] = spot.verdict.split(" ");
    const badge = Object.assign(document.createElement("span"), { className: `badge tone-${spot.tone}` });
    badge.append(Object.assign(document.createElement("span"), { className: "sign", textContent: sign, ariaHidden: "true" }));
    badge.append(` ${word.join(" ")}`);
    cell(line, "", "").append(badge);
    if (spot.gap) {
      cell(line, spot.gap, "gap", alone ? 2 : 6);
      return line;
    }
    const [ratio, ...interval] = spot.speedup.split(" ");
    if (!alone) {
      cell(line, ratio, "number strong");
      cell(line, interval.join(" "), "interval");
    } else cell(line, spot.candidate, "number strong");
    figureOrWhy(line, spot.change, spot.unknown.change);
    if (alone) return line;
    figureOrWhy(line, spot.floor, spot.unknown.floor);
    cell(line, spot.candidate, "number");
    cell(line, spot.baseline, "number");
    return line;
  }

  function noteRow(title, notes, kind, width) {
    const line = document.createElement("tr");
    line.className = kind;
    const note = cell(line, "", "", width);
    note.append(Object.assign(document.createElement("b"), { textContent: title }));
    notes.forEach((text) => {
      const change = Object.assign(document.createElement("span"), { className: "change" });
      const at = text.indexOf(": "); // the name of a fact; there is none in a level
      if (at > 0) change.append(Object.assign(document.createElement("code"), { textContent: text.slice(0, at) }), text.slice(at + 1));
      else change.textContent = text;
      note.append(" ", change);
    });
    return line;
  }

  function addOlder(button) {
    const { spots, panels } = unpacked(button.dataset.older);
    const body = button.closest("section").querySelector("table.trend tbody");
    const alone = panels.length === 1;
    const width = alone ? 5 : 9;
    const lines = [];
    for (let index = spots.length - body.querySelectorAll("tr.point").length - 1; index >= 0; index -= 1) {
      const spot = spots[index];
      lines.push(olderRow(spot, alone));
      if (spot.level) lines.push(noteRow("level changed", [spot.level], "environment level", width));
      if (spot.changes.length) lines.push(noteRow("environment changed", spot.changes, "environment", width));
    }
    body.append(...lines);
    button.parentElement.remove();
  }

  document.querySelectorAll("[data-older]").forEach((button) => {
    button.hidden = false;
    button.addEventListener("click", () => addOlder(button));
  });
  document.querySelectorAll("[data-chart]").forEach(mount);
})();
