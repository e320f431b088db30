// One key for each button of the queue. The buttons do all the work; without this file nothing is missing.
const buttons = new Map([...document.querySelectorAll("[data-key]")].map((button) => [button.dataset.key, button]));

for (const [key, button] of buttons) {
  const hint = document.createElement("kbd");
  hint.textContent = key;
  hint.setAttribute("aria-hidden", "true");
  button.append(" ", hint);
  button.setAttribute("aria-keyshortcuts", key);
}

document.addEventListener("keydown", (event) => {
  const isTyping = event.target.closest("textarea, input:not([type=hidden]), select");
  if (isTyping || event.repeat || event.ctrlKey || event.metaKey || event.altKey) return;
  buttons.get(event.key.toLowerCase())?.click();
});
