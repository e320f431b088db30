// The preview follows a form as it is filled in. Without this file the button does it.
const see = document.getElementById("see");
let waiting;

see.form.addEventListener("input", () => {
  clearTimeout(waiting);
  waiting = setTimeout(() => see.form.requestSubmit(see), 500);
});
