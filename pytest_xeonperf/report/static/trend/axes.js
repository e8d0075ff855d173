/* Where a run and a value lie on a plot: by commit or by date, linear, from zero or logarithmic. */
(() => {
  "use strict";
  const trend = (globalThis.xeonperfTrend ??= {});

  const HOUR_S = 3600;
  const DAY_S = 24 * HOUR_S;
  const MARGIN = 0.03; // of what is seen, on each side, where runs lie by their dates
  const DECADE = 10; // a log axis that spans less has the ticks of a linear one

  /* By date in seconds since 1970, else by number. Runs of one minute are put a second apart. */
  function places(spots, by) {
    if (by !== "date") return spots.map((_, index) => index);
    const found = [];
    for (const spot of spots) {
      const at = Date.parse(spot.date.replace(" UTC", "Z").replace(" ", "T")) / 1000;
      found.push(Math.max(at, found.length ? found[found.length - 1] + 1 : at));
    }
    return found;
  }

  /* The ends of the axis that shows the runs from first to last. */
  function ends(at, by, first, last) {
    const margin = by === "date" ? Math.max((at[last] - at[first]) * MARGIN, HOUR_S) : 0.5;
    return [at[first] - margin, at[last] + margin];
  }

  /* As many as a step has: of 0.25 both. */
  function decimals(step) {
    const whole = (places) => Math.abs(step * 10 ** places - Math.round(step * 10 ** places)) < 1e-6;
    return [0, 1, 2, 3, 4, 5, 6, 7, 8, 9].find(whole) ?? 9;
  }

  /* 1, 2 or 5 times a power of ten, at least as much as what is asked for. */
  function round(step) {
    const power = 10 ** Math.floor(Math.log10(step));
    return [1, 2, 5, 10].map((factor) => factor * power).find((each) => each >= step * (1 - 1e-9));
  }

  function linearTicks(low, high, count) {
    const step = round((high - low) / count);
    const ticks = [];
    for (let tick = Math.ceil(low / step - 1e-9); tick * step <= high * (1 + 1e-9); tick += 1) ticks.push(tick * step);
    return ticks;
  }

  function logTicks(low, high, count) {
    if (high / low < DECADE) return linearTicks(low, high, count);
    const ticks = [];
    for (let power = 10 ** Math.floor(Math.log10(low)); power <= high; power *= 10) {
      ticks.push(...[1, 2, 5].map((factor) => factor * power).filter((tick) => tick >= low && tick <= high));
    }
    return ticks;
  }

  /* The span of a value axis; a log axis has no zero. */
  function span(panel, scale) {
    const [low, high] = panel.span;
    if (scale === "zero") return [0, high];
    if (scale !== "log") return [low, high];
    const least = panel.lines.flat().reduce((found, value) => (value > 0 && value < found ? value : found), high);
    return [low > 0 ? low : least * 0.9, high];
  }

  /* The values to draw: on a log axis nothing lies below its end. */
  function drawable(panel, scale) {
    if (scale !== "log") return panel.lines;
    const [low] = span(panel, scale);
    return panel.lines.map((line) => line.map((value) => (value === null ? null : Math.max(value, low))));
  }

  function valueAxis(scale) {
    if (scale !== "log") return { values: (u, ticks, axis, space, step) => ticks.map((v) => v.toFixed(decimals(step))) };
    return {
      splits: (u, axis, low, high) => logTicks(low, high, Math.max(3, Math.floor(u.bbox.height / uPlot.pxRatio / 28))),
      filter: (u, ticks) => ticks,
      values: (u, ticks) => ticks.map((v) => String(Number(v.toPrecision(6)))),
    };
  }

  function runAxis(spots, by) {
    if (by !== "date") {
      const nameOf = (place) => (Number.isInteger(place) && spots[place] ? spots[place].date.slice(5, 10) : "");
      return { incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000], values: (u, ticks) => ticks.map(nameOf) };
    }
    const shown = (seconds, step) => {
      const text = new Date(seconds * 1000).toISOString();
      return step < DAY_S ? `${text.slice(5, 10)} ${text.slice(11, 16)}` : text.slice(step < 28 * DAY_S ? 5 : 0, 10);
    };
    return {
      space: 90,
      incrs: [HOUR_S, 3 * HOUR_S, 6 * HOUR_S, 12 * HOUR_S, ...[1, 2, 4, 7, 14, 28, 91, 182, 364].map((days) => days * DAY_S)],
      values: (u, ticks, axis, space, step) => ticks.map((tick) => shown(tick, step)),
    };
  }

  Object.assign(trend, { places, ends, span, drawable, valueAxis, runAxis });
})();
