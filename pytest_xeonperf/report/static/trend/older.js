/* Older runs, as rows below those that the page came with, when somebody wants them. */
(() => {
  "use strict";
  const trend = (globalThis.xeonperfTrend ??= {});

  function cell(line, text, kind, span = 1) {
    const made = trend.make(kind === "moment" ? "th" : "td", text, kind);
    if (kind === "moment") made.scope = "row";
    if (span > 1) made.colSpan = span;
    line.append(made);
    return made;
  }

  function titled(text, className, title) {
    return Object.assign(trend.make("span", text, className), { title });
  }

  function figureOrWhy(line, text, why) {
    const made = cell(line, text, "number");
    if (text) return;
    const dash = titled("—", "unknown", why);
    dash.append(trend.make("span", ` unknown: ${why}`, "heard"));
    made.append(dash, "\n");
  }

  function badge({ verdict, tone }) {
    const [text, ...word] = verdict.split(" ");
    const sign = trend.make("span", text, "sign");
    sign.ariaHidden = "true";
    const made = trend.make("span", "", `badge tone-${tone}`);
    made.append(sign, ` ${word.join(" ")}`);
    return made;
  }

  function row(spot, alone) {
    const line = trend.make("tr", "", "point");
    const date = spot.date.slice(0, -4); // the heading says UTC
    const moment = cell(line, spot.href ? "" : date, "moment");
    if (spot.href) moment.append(Object.assign(trend.make("a", date), { href: spot.href }));
    const commit = cell(line, "", "commit");
    commit.append(trend.make("code", spot.sha || "—"), " ", titled(spot.subject, "note", spot.subject));
    cell(line, "", "").append(badge(spot));
    if (spot.gap) {
      cell(line, spot.gap, "gap", alone ? 2 : 6);
      return line;
    }
    const [ratio, ...interval] = spot.speedup.split(" ");
    cell(line, alone ? spot.candidate : ratio, "number strong");
    if (!alone) cell(line, interval.join(" "), "interval");
    figureOrWhy(line, spot.change, spot.unknown.change);
    if (alone) return line;
    figureOrWhy(line, spot.floor, spot.unknown.floor);
    cell(line, spot.candidate, "number");
    cell(line, spot.baseline, "number");
    return line;
  }

  function note(title, notes, kind, width) {
    const line = trend.make("tr", "", kind);
    const told = cell(line, "", "", width);
    told.append(trend.make("b", title));
    for (const text of notes) {
      const at = text.indexOf(": "); // after the name of a fact; a level has none
      const change = trend.make("span", at > 0 ? "" : text, "change");
      if (at > 0) change.append(trend.make("code", text.slice(0, at)), text.slice(at + 1));
      told.append(" ", change);
    }
    return line;
  }

  function told({ href, tone, text }, width) {
    const line = trend.make("tr", "", "environment");
    const link = Object.assign(trend.make("a", text, `change tone-${tone}`), { href });
    cell(line, "", "", width).append(trend.make("b", "alert"), " ", link);
    return line;
  }

  function add(button) {
    const { spots, panels } = trend.unpacked(button.dataset.older);
    const body = button.closest("section").querySelector("table.trend tbody");
    const alone = panels.length === 1;
    const width = alone ? 5 : 9;
    const there = body.querySelectorAll("tr.point").length;
    for (const spot of spots.slice(0, spots.length - there).reverse()) {
      body.append(row(spot, alone));
      for (const alert of spot.alerts) body.append(told(alert, width));
      if (spot.level) body.append(note("level changed", [spot.level], "environment level", width));
      if (spot.changes.length) body.append(note("environment changed", spot.changes, "environment", width));
    }
    button.parentElement.remove();
  }

  document.querySelectorAll("[data-older]").forEach((button) => {
    button.hidden = false;
    button.addEventListener("click", () => add(button));
  });
})();
