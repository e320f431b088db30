// Says what Gift Aid adds to whatever amount is chosen. Without this file the sentence speaks of one amount, and is true.
const form = document.querySelector(".adopt-form");
const line = form.querySelector(".gift-aid-line");

function chosenPence(answers, frequency) {
  const choice = answers.get(`amount_${frequency}`);
  if (choice && choice !== "other") return Number(choice);
  const typed = /^£?\s*(\d{1,6})(?:\.(\d{1,2}))?$/.exec((answers.get("other_amount") ?? "").replaceAll(",", "").trim());
  return typed ? Number(typed[1]) * 100 + Number((typed[2] ?? "").padEnd(2, "0")) : null;
}

function pounds(pence) {
  const rest = pence % 100;
  return `£${Math.floor(pence / 100).toLocaleString("en-GB")}${rest ? `.${String(rest).padStart(2, "0")}` : ""}`;
}

form.addEventListener("input", () => {
  const answers = new FormData(form);
  const frequency = answers.get("frequency");
  const pence = chosenPence(answers, frequency);
  const least = Number(line.getAttribute(`data-least-${frequency}`));
  if (!pence) return;
  const sentence = pence < least ? line.dataset.needs : line.dataset.adds;
  const words = sentence
    .replace("{least}", pounds(least))
    .replace("{more}", pounds(Math.floor(pence / 4)))
    .replace("{gift}", pounds(pence));
  if (line.textContent !== words) line.textContent = words;
});
