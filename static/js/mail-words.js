// The preview follows the words as they are typed. Without this file the button does it.
const form = document.querySelector(".mail-words-form");
const see = document.getElementById("see");
let waiting;

form.addEventListener("input", () => {
  clearTimeout(waiting);
  waiting = setTimeout(() => form.requestSubmit(see), 500);
});
