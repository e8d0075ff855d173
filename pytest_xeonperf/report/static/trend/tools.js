/* The buttons above a chart. Each does what a key does too; those that switch something say whether it is on. */
(() => {
  "use strict";
  const trend = (globalThis.xeonperfTrend ??= {});

  function button(name, key, press) {
    const made = trend.make("button", name, "tool");
    made.type = "button";
    if (key) {
      made.title = `key ${key}, while the chart has the focus`;
      made.setAttribute("aria-keyshortcuts", key);
    }
    made.addEventListener("click", press);
    return made;
  }

  /* A row of buttons, and how to bring them up to date with what a chart shows. */
  function tools(name, act) {
    const zoomIn = button("Zoom in", "+", act.zoomIn);
    const zoomOut = button("Zoom out", "-", act.zoomOut);
    const all = button("See all", "0", act.all);
    const log = button("Log axis", "l", act.log);
    const zero = button("From zero", "z", act.zero);
    const date = button("By date", "d", act.date);
    const row = trend.make("div", "", "tools");
    row.setAttribute("role", "group");
    row.setAttribute("aria-label", name);
    row.append(zoomIn, zoomOut, all, log, zero, date, button("Download CSV", "", act.download));

    function update(state, count) {
      const shown = state.last - state.first + 1;
      // aria-disabled keeps the focus where it is when a button has done all it can
      zoomIn.setAttribute("aria-disabled", String(shown < 2));
      for (const each of [zoomOut, all]) each.setAttribute("aria-disabled", String(shown === count));
      log.setAttribute("aria-pressed", String(state.y === "log"));
      zero.setAttribute("aria-pressed", String(state.y === "zero"));
      date.setAttribute("aria-pressed", String(state.x === "date"));
    }

    return { row, update };
  }

  Object.assign(trend, { tools });
})();
