"use strict";
// Tables are sorted by their headings; the error browser is searched, filtered and shown bit by bit.
// Without this script, the page shows everything in the order it was written.
const FIRST = 30; // rows shown until more are asked for

const read = (cell) => {
  const text = cell.textContent.trim();
  const number = text.replace(/[,%\u2009\u00a0 ]/g, "");
  return text === "–" || text === "" ? null : Number.isFinite(Number(number)) ? Number(number) : text;
};

const order = (one, other) => {
  if (one === null || other === null) return one === other ? 0 : one === null ? 1 : -1; // nothing comes last
  if (typeof one === "number" && typeof other === "number") return one - other;
  return String(one).localeCompare(String(other));
};

const sort = (table, column, direction) => {
  const body = table.tBodies[0];
  const sign = direction === "ascending" ? 1 : -1;
  const keyed = [...body.rows].map((row) => [read(row.cells[column]), row]);
  keyed.sort(([one], [other]) => (one === null || other === null ? order(one, other) : sign * order(one, other)));
  body.append(...keyed.map(([, row]) => row));
  table.querySelectorAll("thead th").forEach((head, at) => {
    if (at === column) head.setAttribute("aria-sort", direction);
    else head.removeAttribute("aria-sort");
  });
};

const browsers = new Map();

document.querySelectorAll("form.choice").forEach((form) => {
  const table = document.getElementById(form.dataset.for);
  const more = document.querySelector(`button.more[data-for="${form.dataset.for}"]`);
  const search = form.querySelector("input");
  const selects = [...form.querySelectorAll("select")];
  const output = form.querySelector("output");
  let all = false;

  const fits = (row, wanted) => {
    const first = row.cells[0].textContent.trim().toLowerCase();
    if (wanted.length > 1 && wanted.startsWith("-")) return first.endsWith(wanted.slice(1));
    if (wanted.length > 1 && wanted.endsWith("-")) return first.startsWith(wanted.slice(0, -1));
    return row.textContent.toLowerCase().includes(wanted);
  };

  const show = () => {
    const wanted = search.value.trim().toLowerCase().normalize("NFC");
    const rows = [...table.tBodies[0].rows];
    let found = 0;
    for (const row of rows) {
      const chosen = selects.every((select) => !select.value || row.cells[select.dataset.column].textContent === select.value);
      const fit = chosen && (!wanted || fits(row, wanted));
      if (fit) found += 1;
      row.hidden = !fit || (!all && found > FIRST);
    }
    const shown = all ? found : Math.min(found, FIRST);
    output.textContent = `${found.toLocaleString("en")} of ${rows.length.toLocaleString("en")} forms` +
      (shown < found ? `, the first ${shown} shown` : "");
    more.hidden = shown === found;
    more.textContent = `Show all ${found.toLocaleString("en")}`;
  };

  more.addEventListener("click", () => { all = true; show(); });
  form.addEventListener("input", () => { all = false; show(); });
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(() => { all = false; show(); }));
  browsers.set(table, { show, form, selects });
  show();
});

document.querySelectorAll("table:not(.matrix):not(.facts)").forEach((table) => {
  table.querySelectorAll("thead th").forEach((head, column) => {
    head.querySelector("button").addEventListener("click", () => {
      const before = head.getAttribute("aria-sort");
      const first = head.classList.contains("number") ? "descending" : "ascending";
      const other = first === "ascending" ? "descending" : "ascending";
      sort(table, column, before === first ? other : first);
      browsers.get(table)?.show();
    });
  });
});

// A cell of the confusion matrix shows its forms in the browser.
document.querySelectorAll("table.matrix button").forEach((button) => {
  button.title = `${button.dataset.true} read as ${button.dataset.read}: show the forms`;
  button.addEventListener("click", () => {
    for (const { form, selects, show } of browsers.values()) {
      form.reset();
      for (const select of selects) {
        const name = select.parentElement.firstChild.textContent.trim();
        if (name === "true") select.value = button.dataset.true;
        if (name === "read as") select.value = button.dataset.read;
      }
      setTimeout(() => { show(); form.scrollIntoView(); });
    }
  });
});
