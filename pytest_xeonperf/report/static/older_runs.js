/* The table of runs on the first page shows the newest ones that the filters leave; the others when somebody wants them. */
(() => {
  "use strict";

  const button = document.getElementById("older-runs");
  const most = Number(button.dataset.shown);
  const section = button.closest("section");
  const rows = [...section.querySelector("tbody").rows];
  let all = false;

  /* A shaded row stands below the run it belongs to, and goes with it. */
  function fold() {
    let runs = 0;
    for (const row of rows) {
      if (row.matches(".one") && !row.hidden) runs += 1;
      row.classList.toggle("folded", !all && runs > most);
    }
    const more = runs - most;
    button.hidden = all || more <= 0;
    button.textContent = `Show the ${more === 1 ? "older run" : `${more} older runs`}`;
  }

  button.addEventListener("click", () => {
    const first = rows.find((row) => row.matches(".folded.one:not([hidden])"));
    all = true;
    fold();
    (first.querySelector("a") || section.querySelector(".scroll")).focus(); // the button is gone, and had the focus
  });
  document.addEventListener("narrowed", fold);
  fold();
})();
