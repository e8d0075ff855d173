/* Straight onto the canvas: what a line cannot say. Each function draws one thing over the places `u.data[0]`. */
(() => {
  "use strict";
  const trend = (globalThis.xeonperfTrend ??= {});

  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
  const px = (size) => size * uPlot.pxRatio;
  const font = (size) => `${px(size)}px system-ui, sans-serif`;

  /* Between a run and the one before: where something became different. Nothing where that is not to be seen. */
  function border(u, index) {
    const [at, { min, max }] = [u.data[0], u.scales.x];
    const place = index ? (at[index - 1] + at[index]) / 2 : at[0];
    return place < min || place > max ? null : Math.round(u.valToPos(place, "x", true)) + 0.5;
  }

  function upright(u, x, dash) {
    u.ctx.setLineDash(dash.map(px));
    u.ctx.beginPath();
    u.ctx.moveTo(x, u.bbox.top);
    u.ctx.lineTo(x, u.bbox.top + u.bbox.height);
    u.ctx.stroke();
  }

  function nameOf(changes) {
    const names = changes.map((change) => change.split(":")[0]);
    const shown = names.length > 2 ? `${names[0]} and ${names.length - 1} more` : names.join(", ");
    return shown.length > 40 ? `${shown.slice(0, 39)}…` : shown;
  }

  /* Another environment: a dotted line, with its name above the plot on top. */
  function environments(u, spots, named) {
    const { ctx, bbox } = u;
    let free = bbox.left; // where the next name may begin
    ctx.save();
    ctx.font = font(11);
    ctx.textAlign = "left";
    ctx.textBaseline = "bottom";
    ctx.fillStyle = ctx.strokeStyle = colour("soft");
    ctx.lineWidth = px(1);
    spots.forEach((spot, index) => {
      const x = spot.changes.length ? border(u, index) : null;
      if (x === null) return;
      upright(u, x, [2, 3]);
      if (!named) return;
      const name = nameOf(spot.changes);
      const width = ctx.measureText(name).width;
      const left = Math.min(x - width / 2, bbox.left + bbox.width - width);
      if (left < free) return;
      ctx.fillText(name, left, bbox.top - px(2));
      free = left + width + px(10);
    });
    ctx.restore();
  }

  /* Another level of the latency: a whole line with a flag at its foot. */
  function levels(u, spots) {
    const { ctx, bbox } = u;
    const foot = bbox.top + bbox.height;
    ctx.save();
    ctx.fillStyle = ctx.strokeStyle = colour("level");
    ctx.lineWidth = px(1.5);
    spots.forEach((spot, index) => {
      const x = spot.level ? border(u, index) : null;
      if (x === null) return;
      upright(u, x, []);
      ctx.beginPath();
      ctx.moveTo(x, foot - px(14));
      ctx.lineTo(x + px(9), foot - px(9.5));
      ctx.lineTo(x, foot - px(5));
      ctx.fill();
    });
    ctx.restore();
  }

  /* An alert: a wide line with a triangle at its head, in the colour of what became of it. */
  function alerts(u, spots) {
    const { ctx, bbox } = u;
    ctx.save();
    ctx.lineWidth = px(2.5);
    spots.forEach((spot, index) => {
      const x = spot.alerts.length ? border(u, index) : null;
      if (x === null) return;
      ctx.fillStyle = ctx.strokeStyle = colour(spot.alerts[0].tone);
      upright(u, x, []);
      ctx.beginPath();
      ctx.moveTo(x - px(6), bbox.top);
      ctx.lineTo(x + px(6), bbox.top);
      ctx.lineTo(x, bbox.top + px(9));
      ctx.fill();
    });
    ctx.restore();
  }

  function mark(ctx, tone, x, y, size) {
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

  /* The verdict of each run, and a cross at the foot where nothing was measured. */
  function verdicts(u, spots) {
    const { ctx, bbox, data, scales } = u;
    const inView = data[0].filter((place) => place >= scales.x.min && place <= scales.x.max).length;
    const size = px(inView > 150 ? 2 : 3.4);
    ctx.save();
    ctx.lineWidth = px(3);
    ctx.textAlign = "center";
    ctx.textBaseline = "bottom";
    ctx.font = font(13);
    spots.forEach((spot, index) => {
      const place = data[0][index];
      if (place < scales.x.min || place > scales.x.max) return;
      const x = u.valToPos(place, "x", true);
      if (spot.gap) {
        ctx.fillStyle = colour(spot.tone);
        ctx.fillText("×", x, bbox.top + bbox.height - px(2));
        return;
      }
      mark(ctx, spot.tone, x, u.valToPos(data[1][index], "y", true), size);
    });
    ctx.restore();
  }

  /* Rings around the runs that are pinned and compared, and a line down through all plots. */
  function pins(u, state) {
    const { ctx, data, scales } = u;
    ctx.save();
    ctx.strokeStyle = colour("focus");
    [state.pin, state.other].forEach((index, second) => {
      const place = data[0][index];
      if (index < 0 || place < scales.x.min || place > scales.x.max) return;
      const x = u.valToPos(place, "x", true);
      ctx.lineWidth = px(1);
      upright(u, Math.round(x) + 0.5, second ? [6, 4] : []);
      ctx.setLineDash([]);
      ctx.lineWidth = px(2);
      ctx.beginPath();
      ctx.arc(x, u.valToPos(data[1][index], "y", true), px(7), 0, 2 * Math.PI);
      ctx.stroke();
    });
    ctx.restore();
  }

  Object.assign(trend, { colour, draw: { alerts, environments, levels, verdicts, pins } });
})();
