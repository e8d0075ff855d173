/* Trend charts: a stack of uPlot canvases over one axis of runs, with a tooltip, keys and the page's colours.
   Each chart reads its data from the JSON element that it names; the words in it are ready to be shown. */
(() => {
  "use strict";

  const HEIGHT = 250; // of the plot on top, which shows the verdicts
  const LOWER_HEIGHTS = { candidate: 130, baseline: 150 };
  const FONT = "12px system-ui, sans-serif";

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
    const data = JSON.parse(document.getElementById(box.dataset.chart).textContent);
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

  document.querySelectorAll("[data-chart]").forEach(mount);
})();
