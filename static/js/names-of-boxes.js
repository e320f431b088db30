// The admin's boxes that search for choices are drawn without a name: they get that of the field they stand for.
function name(box) {
  const field = box.previousElementSibling;
  const label = field && document.querySelector(`label[for="${field.id}"]`);
  if (!label) return;
  label.id ||= `${field.id}_label`;
  box.querySelector(".select2-search__field")?.setAttribute("aria-labelledby", label.id);
  const chosen = box.querySelector(".select2-selection--single .select2-selection__rendered");
  if (!chosen) return;
  chosen.setAttribute("aria-labelledby", label.id);
  box.querySelector(".select2-selection").setAttribute("aria-labelledby", `${label.id} ${chosen.id}`);
}

function nameAll() {
  for (const box of document.querySelectorAll(".select2-container")) name(box);
}

new MutationObserver(nameAll).observe(document.body, { childList: true, subtree: true });
nameAll();
