/* The figures of a chart as a file, made in the page. */
(() => {
  "use strict";
  const trend = (globalThis.xeonperfTrend ??= {});

  /* A spreadsheet takes a text that begins so for a formula, and would run it. */
  const text = (value) => `"${value.replace(/^\s*[=+\-@＝＋－＠]|^[\t\r\n]/, "'$&").replace(/"/g, '""')}"`;
  const number = (value) => (value === null || value === undefined ? "" : String(value));

  const unitOf = (panel) => panel.label.split(", ").pop();

  function csv(data) {
    const compared = data.panels.includes("speedup");
    const heads = ["date_utc", "commit", "branch", "subject", "author", "verdict",
      ...(compared ? ["speedup", "low", "high", "floor"] : []), `candidate_${unitOf(data.candidate)}`,
      ...(compared ? [`baseline_${unitOf(data.baseline)}`] : []), "nothing_measured", "level_changed", "environment_changed",
      "alerts"];
    const lines = data.spots.map((spot, index) => {
      const value = (kind, line = 0) => number(data[kind].lines[line][index]);
      const [, low, high] = /\[(\S+), (\S+)\]/.exec(spot.speedup) || []; // whole: the lines are cut where the axis ends
      const bound = (end) => (end === "…" ? "" : number(end));
      return [
        ...[spot.date.replace(" UTC", ""), spot.sha, spot.branch, spot.subject, spot.author, spot.verdict].map(text),
        ...(compared ? [value("speedup"), bound(low), bound(high), value("speedup", 3)] : []), value("candidate"),
        ...(compared ? [value("baseline")] : []), ...[spot.gap, spot.level, spot.changes.join("; ")].map(text),
        text(spot.alerts.map((alert) => alert.text).join("; ")),
      ];
    });
    return [heads, ...lines].map((line) => `${line.join(",")}\r\n`).join("");
  }

  function download(data, name) {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob(["\ufeff", csv(data)], { type: "text/csv" }));
    link.download = `${name.replace(/[^\w-]+/g, "-")}.csv`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  }

  Object.assign(trend, { csv, download });
})();
