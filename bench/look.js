// What `python -m bench.look` adds to a copy of a report: it presses, types, and writes down what it saw.
const box = document.querySelector("div.search"), table = box.querySelector("table.browser");
const form = box.querySelector("form.choice"), heads = [...table.tHead.rows[0].cells];
const names = heads.map((head) => head.textContent.trim());
const visible = (name) => [...table.tBodies[0].rows].filter((row) => row.getClientRects().length)
  .map((row) => row.cells[names.indexOf(name)].textContent.trim());
const press = (name) => heads[names.indexOf(name)].querySelector("button").click();
const search = (text) => {
  form.querySelector("input").value = text;
  form.dispatchEvent(new Event("input"));
};
const seen = { rows: table.tBodies[0].rows.length, first: visible("form").length };
press("probability"); seen.falling = visible("probability").map(parseFloat);
press("probability"); seen.rising = visible("probability").map(parseFloat);
seen.sorted = heads[names.indexOf("probability")].getAttribute("aria-sort");
seen.end = visible("form")[0].slice(-1).toLowerCase();
search("-" + visible("form")[0].slice(-2));
seen.ending = visible("form").map((text) => text.slice(-1).toLowerCase());
search(""); box.querySelector("button.more").click(); seen.all = visible("form").length;
const select = form.querySelector(`select[data-column="${names.indexOf("predicted")}"]`);
seen.label = select.value = visible("predicted")[0];
form.dispatchEvent(new Event("input")); seen.predicted = visible("predicted");
seen.requests = performance.getEntriesByType("resource").length;
const note = document.createElement("pre");
note.id = "seen"; note.textContent = JSON.stringify(seen); document.body.append(note);
