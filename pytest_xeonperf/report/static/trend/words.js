/* How two runs of a chart differ, in words: the one place of the scripts that formats figures. */
(() => {
  "use strict";
  const trend = (globalThis.xeonperfTrend ??= {});

  const STILL = 0.0005; // what is shown as 0.0 %
  const MOST = 0.5; // of what the other side moved: with less, a side has not moved beside it

  /* 1.042 is "+4.2 %", as in the tables. */
  function change(ratio) {
    const percent = Math.round((ratio - 1) * 1000) / 10;
    const sign = percent > 0 ? "+" : percent < 0 ? "−" : "±";
    return `${sign}${Math.abs(percent).toFixed(1)} %`;
  }

  /* What a run is in figures: any of them may be null. */
  function figures(data, index) {
    const [speedup, low, high] = data.speedup.lines.map((line) => line[index]);
    return { speedup, low, high, candidate: data.candidate.lines[0][index], baseline: data.baseline.lines[0][index] };
  }

  /* The changes from one run to another, by what changed; nothing where one of the two has no value. */
  function changes(data, from, to) {
    const [before, after] = [figures(data, from), figures(data, to)];
    const found = {};
    for (const kind of data.panels) {
      if (before[kind] > 0 && after[kind] > 0) found[kind] = after[kind] / before[kind];
    }
    return found;
  }

  function amount(ratio, more, less) {
    const shown = change(ratio);
    if (shown.startsWith("±")) return "the same";
    return `${shown.slice(1)} ${ratio > 1 ? more : less}`;
  }

  function mover(candidate, baseline) {
    const [mine, others] = [candidate, baseline].map((ratio) => Math.abs(Math.log(ratio)));
    if (Math.max(mine, others) < STILL) return "neither side moved";
    if (Math.min(mine, others) >= MOST * Math.max(mine, others)) return "both sides moved";
    return mine > others ? "the candidate moved" : "the baseline moved";
  }

  /* "The speed-up is 2.0 % higher; the candidate moved: ..." */
  function sentence(data, from, to) {
    const found = changes(data, from, to);
    if (!found.candidate) return "One of the two was not measured.";
    const latency = amount(found.candidate, "higher", "lower");
    if (!found.speedup) return `The latency is ${latency}.`;
    const [before, after] = [figures(data, from), figures(data, to)];
    const overlap = before.low <= after.high && after.low <= before.high;
    return `The speed-up is ${amount(found.speedup, "higher", "lower")}; ${mover(found.candidate, found.baseline)}: `
      + `the candidate's latency is ${latency}, the baseline's ${amount(found.baseline, "higher", "lower")}. `
      + (overlap ? "Their intervals overlap: the difference may be noise." : "Their intervals do not overlap.");
  }

  Object.assign(trend, { change, changes, figures, sentence });
})();
